/** How much `npm run test:all` has of what `npm test` has a sample of, by the variables that the tests read. */
export const EVERY_CASE: Readonly<Record<string, string>> = {
  GIT_DEPLOY_RELEASES: 'all',
  GIT_DEPLOY_FAULTS: 'every',
  GIT_DEPLOY_MODEL: '200',
  GIT_DEPLOY_FUZZ: '10',
  GIT_DEPLOY_ANSWERS: '10000',
  GIT_DEPLOY_CROWD: '60',
  GIT_DEPLOY_SOAK: '1000',
  GIT_DEPLOY_MEETINGS: 'every',
}
