/**
 * A reporter for node:test, beside the one that people read: a line of JSON for each test that was left out. It is not
 * TypeScript because Node 20 loads reporters before anything that would compile it.
 */
export default async function* skipReporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    if (isSet(data.skip)) yield line(data.name, reasonOf(data.skip))
    // The runner counts it as neither passed nor failed.
    else if (isSet(data.todo)) yield line(data.name, `to do: ${reasonOf(data.todo)}`)
  }
}

function isSet(mark) {
  return mark !== undefined && mark !== false
}

function reasonOf(mark) {
  return typeof mark === 'string' && mark.trim() !== '' ? mark.trim() : 'no reason given'
}

function line(name, reason) {
  return `${JSON.stringify({ name, reason })}\n`
}
