// Derivatives of expressions, as expressions. The chain rule's products are guarded (`product`): where the outer slope is 0 nothing
// of the inner matters, be it infinite; and `where` differentiates its branches apart. So a derivative is finite where its formula
// is, at the ends of float32 too.
import { numberIn, type CallNode, type Graph, type Node } from './expression.ts';

/** ∂node/∂variable. At a kink: 0 for |u| at 0; the smaller argument's, in the order of the formula the second's, for max and min. */
export function differentiate(graph: Graph, node: Node, variable: Node): Node {
  const known = new Map<Node, Node>();
  const slopeOf = (of: Node): Node => {
    let slope = known.get(of);
    if (!slope) {
      slope = of === variable ? graph.constant(1) : of.type === 'call' ? chain(graph, of, slopeOf) : graph.constant(0);
      known.set(of, slope);
    }
    return slope;
  };
  return slopeOf(node);
}

function chain(graph: Graph, node: CallNode, slopeOf: (of: Node) => Node): Node {
  const { constant, product, add, sub, mul, div, neg, where } = bound(graph);
  const [u, v, w] = node.args as [Node, Node, Node];
  const du = () => slopeOf(u);
  const dv = () => slopeOf(v);
  switch (node.operation) {
    case 'neg':
      return neg(du());
    case 'abs':
      return product(graph.call('sign', u), du());
    case 'exp':
      return product(node, du());
    case 'expm1':
      return product(graph.call('exp', u), du());
    case 'log':
      return quotient(du(), u);
    case 'log1p':
      return quotient(du(), add(constant(1), u));
    case 'sqrt':
      return quotient(du(), mul(constant(2), node));
    case 'sin':
      return product(graph.call('cos', u), du());
    case 'cos':
      return neg(product(graph.call('sin', u), du()));
    case 'tanh':
      return product(sub(constant(1), mul(node, node)), du());
    case 'sigmoid':
      return product(mul(node, sub(constant(1), node)), du());
    case 'softplus':
      return product(graph.call('sigmoid', u), du());
    case 'erf':
      return product(bell(u), du());
    case 'erfc':
      return neg(product(bell(u), du()));
    case 'add':
      return add(du(), dv());
    case 'sub':
      return sub(du(), dv());
    case 'mul':
    case 'product':
      return u === v ? product(mul(constant(2), u), du()) : add(product(du(), v), product(u, dv()));
    case 'div':
      // (u′ − (u/v)·v′)/v: v² would overflow long before the quotient does.
      return quotient(sub(du(), product(node, dv())), v);
    case 'max':
    case 'min': {
      // A constant counts as the second: max(0, x) is ReLU, whose slope at 0 is 0.
      const [first, second] = numberIn(u) !== null ? [v, u] : [u, v];
      const [large, small] = node.operation === 'max' ? [first, second] : [second, first];
      const isSecond = graph.call('le', large, small);
      return where(isSecond, slopeOf(second), slopeOf(first));
    }
    case 'pow':
      return power();
    case 'where':
      return where(u, slopeOf(v), slopeOf(w));
    default:
      // sign, and truths: flat wherever they have a slope.
      return constant(0);
  }

  function quotient(above: Node, below: Node): Node {
    return numberIn(above) === 0 ? above : div(above, below);
  }

  /** 2/√π · exp(−u²). */
  function bell(of: Node): Node {
    return mul(constant(2 / Math.sqrt(Math.PI)), graph.call('exp', neg(mul(of, of))));
  }

  /** v·u^(v−1)·u′ + u^v·log(u)·v′. */
  function power(): Node {
    const byBase = product(mul(v, graph.call('pow', u, sub(v, constant(1)))), du());
    const slope = dv();
    return numberIn(slope) === 0 ? byBase : add(byBase, product(product(node, graph.call('log', u)), slope));
  }
}

function bound(graph: Graph) {
  const { product, add, sub, mul, div, neg, where } = graph;
  return { product, add, sub, mul, div, neg, where, constant: (value: number) => graph.constant(value) };
}
