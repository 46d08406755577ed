// The list of certificates: which file proves what is called how.
import type { CertificateName } from '../protocol/certificateTable.ts';
import type { Certificate } from './certificate.ts';
import { ibp } from './ibp.ts';
import { lipschitz } from './lipschitz.ts';
import { smoothing } from './smoothing.ts';

export const certificates: { readonly [C in CertificateName]: Certificate<C> } = { smoothing, ibp, lipschitz };
