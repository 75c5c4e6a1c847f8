/** Time zones that TZ states as a rule (POSIX, 8.3), as in EST5EDT,M3.2.0,M11.1.0: Git knows them, and Node does not. */

/** By how many minutes the local time is ahead of UTC at this moment. */
export function minutesAhead(date: Date, tz: string | undefined): number {
  const [, winter, summer, ahead, begins, ends] = RULE.exec(tz ?? '') ?? []
  if (winter === undefined) return -date.getTimezoneOffset()
  const standard = -secondsIn(winter)
  if (summer === undefined) return standard / 60
  const daylight = ahead === undefined ? standard + 3600 : -secondsIn(ahead)
  const year = new Date(date.getTime() + standard * 1000).getUTCFullYear()
  const seconds = Math.floor(date.getTime() / 1000)
  const from = change(begins ?? UNITED_STATES[0], year) - standard
  const to = change(ends ?? UNITED_STATES[1], year) - daylight
  // In the south, summer begins in one year and ends in the next.
  const isSummer = from < to ? from <= seconds && seconds < to : from <= seconds || seconds < to
  return (isSummer ? daylight : standard) / 60
}

const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)'
const TIME = '[+-]?\\d{1,3}(?::\\d\\d){0,2}'
const DAY = `(?:J?\\d{1,3}|M\\d{1,2}\\.[1-5]\\.[0-6])(?:/${TIME})?`
const RULE = new RegExp(`^:?${NAME}(${TIME})(?:(${NAME})(${TIME})?(?:,(${DAY}),(${DAY}))?)?$`)

/** What the C library assumes if a rule does not say when summer is. */
const UNITED_STATES = ['M3.2.0', 'M11.1.0'] as const

/** In the seconds of the clock on the wall since 1970. */
function change(rule: string, year: number): number {
  const [day = '', time = '2'] = rule.split('/')
  return dayIn(day, year) / 1000 + secondsIn(time)
}

function dayIn(day: string, year: number): number {
  const [, month, week, weekday] = /^M(\d+)\.(\d)\.(\d)$/.exec(day)?.map(Number) ?? []
  if (month !== undefined) return nthWeekday({ year, month, week: week!, weekday: weekday! })
  // From 1, as if there were no leap years; without the J, from 0.
  const [, julian] = /^J(\d+)$/.exec(day)?.map(Number) ?? []
  if (julian === undefined) return Date.UTC(year, 0, Number(day) + 1)
  const common = new Date(Date.UTC(2001, 0, julian))
  return Date.UTC(year, common.getUTCMonth(), common.getUTCDate())
}

interface NthWeekday {
  readonly year: number
  /** From 1. */
  readonly month: number
  /** 5 is the last. */
  readonly week: number
  /** 0 is Sunday. */
  readonly weekday: number
}

function nthWeekday({ year, month, week, weekday }: NthWeekday): number {
  const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay()
  const day = 1 + ((weekday - first + 7) % 7) + (week - 1) * 7
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return Date.UTC(year, month - 1, day > days ? day - 7 : day)
}

function secondsIn(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.replace(/^[+-]/, '').split(':').map(Number)
  return (time.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds)
}
