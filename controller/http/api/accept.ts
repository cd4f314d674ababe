import type { Request } from 'express';
import { ApiFailure } from './status.ts';

/** One element of an `Accept` header: a media type with its parameters, in lower case. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The forms that Kubernetes' clients ask objects in. */
export type Form = 'Object' | 'Table' | 'PartialObjectMetadata';

const aggregated = 'APIGroupDiscoveryList';

/**
 * What a client accepts, in the order of its header: Kubernetes' clients name what they like best
 * first. Nothing asked for means anything.
 */
export function mediaRanges(header: string | undefined): readonly MediaRange[] {
  if (header === undefined || header.trim() === '') return [{ type: '*/*', parameters: {} }];
  return header.split(',').map((element) => {
    const [type = '', ...parameters] = element.split(';').map((part) => part.trim());
    return { type: type.toLowerCase(), parameters: Object.fromEntries(parameters.map(pair)) };
  });
}

/**
 * The form to answer objects in; throws 406 when the client takes no JSON: protobuf-only clients
 * then know that there is none here.
 */
export function formOf(req: Request): Form {
  for (const range of mediaRanges(req.headers.accept)) {
    const form = formAsked(range);
    if (form) return form;
  }
  throw notAcceptable(['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io']);
}

/** The version of the aggregated discovery that a client likes better than the plain one. */
export function aggregatedVersion(req: Request): 'v2' | 'v2beta1' | undefined {
  for (const range of mediaRanges(req.headers.accept)) {
    if (!isJson(range)) continue;
    const { g, v, as } = range.parameters;
    if (as === undefined) return undefined;
    const known = g === 'apidiscovery.k8s.io' && as === aggregated;
    if (known && (v === 'v2' || v === 'v2beta1')) return v;
  }
  throw notAcceptable(['application/json']);
}

/** Throws 406 unless the client takes plain JSON. */
export function checkTakesJson(req: Request): void {
  const ranges = mediaRanges(req.headers.accept);
  if (!ranges.some((range) => isJson(range) && range.parameters['as'] === undefined)) {
    throw notAcceptable(['application/json']);
  }
}

function formAsked(range: MediaRange): Form | undefined {
  if (!isJson(range)) return undefined;
  const { as, g, v } = range.parameters;
  if (as === undefined) return 'Object';
  if (g !== 'meta.k8s.io' || v !== 'v1') return undefined;
  if (as === 'Table') return 'Table';
  const isPartial = as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList';
  return isPartial ? 'PartialObjectMetadata' : undefined;
}

function isJson({ type }: MediaRange): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*';
}

function pair(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0
    ? [text.toLowerCase(), '']
    : [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

function notAcceptable(offers: readonly string[]): ApiFailure {
  const message = `only the following media types are accepted: ${offers.join(', ')}`;
  return new ApiFailure(406, message);
}
