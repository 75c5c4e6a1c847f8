/** Outside the repository: what takes long to build or to fetch is there once per machine, not once per clone. */
export const CACHE = '/var/cache/git-deploy'
