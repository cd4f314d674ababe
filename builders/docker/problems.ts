/** There is no base. */
export class BaseProblem extends Error {
  override readonly name = 'BaseProblem';
}

/** There is no toolbox: a matter of the operator, or of the archives. */
export class ToolboxProblem extends Error {
  override readonly name = 'ToolboxProblem';
}
