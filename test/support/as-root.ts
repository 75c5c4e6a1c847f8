/** Options of a test that gives directories to other users. */
export const asRoot = { skip: process.getuid!() === 0 ? false : 'only root can give directories to others' }
