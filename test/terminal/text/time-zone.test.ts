import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { minutesAhead } from '../../../src/terminal/text/time-zone.ts'

const ZONES = [
  'EST5EDT,M3.2.0,M11.1.0',
  ':EST5EDT,M3.2.0/2,M11.1.0/2:00:00',
  'CET-1CEST,M3.5.0,M10.5.0/3',
  'AEST-10AEDT,M10.1.0,M4.1.0/3',
  'NZST-12NZDT,M9.5.0,M4.1.0/3',
  '<+1030>-10:30<+11>-11,M10.1.0,M4.1.0',
  '<-02>2<-01>,M3.5.0/-1,M10.5.0/0',
  'IST-2IDT,M3.4.4/26,M10.5.0',
  'XYZ3ABC,J60,300/5',
  'ABC-3XYZ,59,J365/24',
  'UTC0',
  'IST-5:30',
  'Europe/Berlin',
]

for (const zone of ZONES)
  test(`the local time of TZ=${zone} is that of the C library`, () => {
    const days = Array.from({ length: 2 * 366 * 4 }, (_, i) => Date.UTC(2027, 0, 1) / 1000 + i * 6 * 3600)
    const input = days.map(second => `@${second}\n`).join('')
    const told = execFileSync('date', ['--file=-', '+%z'], { input, env: { TZ: zone }, encoding: 'utf8' })
    const before = process.env['TZ']
    process.env['TZ'] = zone
    try {
      assert.deepEqual(
        days.map(second => offset(minutesAhead(new Date(second * 1000), zone))),
        told.trim().split('\n'),
      )
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })

function offset(minutes: number): string {
  const digits = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map(n =>
    `${n}`.padStart(2, '0'),
  )
  return `${minutes < 0 ? '-' : '+'}${digits.join('')}`
}
