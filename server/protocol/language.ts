// What the extension asks of the language server besides the protocol of its own kind.

/** Of `{text, path}`: the range in an experiment's text of what stands at a path (`model.network.layers[3]`). */
export const placeRequest = 'kafscope/place';

/** Of `{text, min, max}`: the experiment's text with these learning rates in its schedule, its comments and order as they were. */
export const applyRatesRequest = 'kafscope/applyRates';

/** Of `{text, path}`: the experiment's text with its data at a path. */
export const dataPathRequest = 'kafscope/dataPath';

/** Told once the workspace is trusted: before, nothing that a file names is looked for on the disk. */
export const trustedNotification = 'kafscope/trusted';
