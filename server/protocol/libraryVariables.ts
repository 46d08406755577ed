// Environment variables by which the extension tells its server, and the server its trainers, where the libraries of Python packages
// may be. On the command line a user may set them, too.

/** What the user chose: a Python interpreter, its environment, or a folder with the libraries. Nothing else is tried then. */
export const chosenVariables = { tensorflow: 'KAFSCOPE_TENSORFLOW', torch: 'KAFSCOPE_TORCH' } as const;

export type PythonLibrary = keyof typeof chosenVariables;

/** Python environments and interpreters of the workspace, the likeliest first, separated as `PATH` is. */
export const pythonEnvironments = 'KAFSCOPE_PYTHON_ENVIRONMENTS';
