/** A program on this machine that was asked, and has said nothing until its deadline. */
export class Silent extends Error {}
