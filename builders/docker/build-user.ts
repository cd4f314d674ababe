/** Who builds, and where: the same for every build, since both get into what is built. */
export const builderId = 2952;
export const builderGroup = 2952;
export const builderName = 'builder';

/** Holds `source`, `home` and `results`; what a build leaves beside `source` is moved to `results`. */
export const buildFolder = '/build';
