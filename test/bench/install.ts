import { statSync } from 'node:fs'
import type { TestHost } from '../hosts/test-host.ts'
import { makeWorld, type World } from '../support/world.ts'
import { AGENT } from './agent-binary.ts'
import { type Contender, contest } from './contest.ts'
import type { Table } from './figure.ts'
import { run } from './run.ts'
import type { Scope } from './scope.ts'
import { serviceTree } from './service.ts'
import { shellLoop } from './shell-loop.ts'
import { pinAlgorithms } from './ssh-algorithms.ts'

/** The first deployment to two real hosts, which have no agent. */
export async function benchInstall(scope: Scope, rounds: number): Promise<Table[]> {
  const world = await makeWorld(scope, serviceTree('quick'), { hosts: 'real', storage: 'disk' })
  pinAlgorithms(world)
  const { size } = statSync(AGENT)
  const loop: Contender = {
    name: 'shell loop that copies as much',
    prepare: () => forget(world),
    run: () => shellLoop(world, `cat ${AGENT} prod/$host/quick/systemd/quick.service`, installByHand(size)),
  }
  const deploy: Contender = {
    name: 'git deploy --yes, first time',
    prepare: () => forget(world),
    run: () => run(world, ['git', 'deploy', 'prod', '--yes']),
    over: loop,
  }
  return [
    {
      title: 'install: first deployment to two hosts, agent included, over the shell loop',
      notes: [`loop: copies ${size} bytes and the unit; daemon-reload, enable, restart, is-active`],
      figures: await contest([loop, deploy], Math.ceil(rounds / 2)),
    },
  ]
}

function installByHand(size: number): string {
  const unit = 'quick.service'
  return [
    `head -c ${size} > /var/lib/agent`,
    `cat > /etc/systemd/system/${unit}`,
    'systemctl daemon-reload',
    `systemctl --quiet enable ${unit}`,
    `systemctl restart ${unit}`,
    `systemctl is-active ${unit}`,
  ].join(' && ')
}

async function forget(world: World<TestHost>): Promise<void> {
  const refs = await world.git('for-each-ref', '--format=delete %(refname)', 'refs/deptool', 'refs/refs')
  await run(world, ['sh', '-c', `echo '${refs}' | sed '/^$/d' | git update-ref --stdin`])
  const undo = `systemctl --quiet disable --now quick.service 2>/dev/null
    rm -rf /var/lib/deptool /var/lib/agent /etc/systemd/system/quick.service
    systemctl daemon-reload`
  await Promise.all(world.hosts.map(host => host.output(undo)))
}
