#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_LOCKS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_LOCKS_H_

#include <utility>
#include <vector>

#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// The locks of a transaction on the catalog. The protocol:
//
//   record                          is written under                               cannot change under
//   b/<D>                           b/<D> exclusive                                b/<D> shared
//   q/…|<D>        added            b/<D> shared                                   b/<D> exclusive
//                  removed          b/<D> exclusive                                b/<D> shared
//   l/<D>|<R>                       b/<D> shared and l/<D>|<R> exclusive,          l/<D>|<R> shared
//                                   or b/<D> exclusive
//   r/<D>|<R>|<M>                   b/<D> shared and m/<R>|<M> exclusive           b/<D> exclusive
//   m/<R>|<M>, s/<R>|…|<M>          m/<R>|<M> exclusive                            m/<R>|<M> shared
//   t/<R>|<T>                       t/<R>|<T> exclusive                            t/<R>|<T> shared
//   d/<R>|<M>|<T>  added            m/<R>|<M> exclusive and t/<R>|<T> exclusive
//                  removed          t/<R>|<T> exclusive                            t/<R>|<T> shared
//   n/<R>                           n/<R> exclusive, and only if it is not there: repositories are never removed
//   x/<K>                           b/<D> shared, where K was written for D        b/<D> exclusive
//
// The engine takes all locks of a transaction in the order of their keys, so that none waits in a circle.
//
// A blob is held exclusively only to make it, to renew its lease and to collect it. A base layer that pushes share is
// held shared almost all the time, and who wants it for himself may wait for long.
//
// What that decides:
// - Manifest PUT against the collector: PUT holds b/<D> shared, the collector exclusively. Either PUT sees the blob
//   gone and refuses the manifest, or the collector sees its reference.
// - Manifest PUT, or a mount, against the unlinking of a blob: nobody waits. Whoever has seen the link counts as first,
//   which is as good an order as the other: a blob may be unlinked under a manifest, and stays for it.
// - PUT against PUT of manifests that share blobs: both hold b/<D> shared and go on side by side.
// - Commit and commit of one digest: b/<D> exclusive, and the second finds the first's bytes. A commit that has seen
// the
//   blob LIVE beforehand holds it shared; if it is not LIVE under that lock, it starts over.
// - DELETE of a manifest against PUT of the same one, of a tag to it, or of an index that lists it: m/<R>|<M> exclusive
//   against exclusive or (child of an index) shared.
// - DELETE of a manifest against a tag that moves away from it: DELETE must also hold the tags that it removes, which
// it
//   learns by reading d/ before it locks; under its locks it reads d/ again. A tag that has moved away is gone from d/;
//   one that has arrived since is not locked, and DELETE starts over with it. None can arrive once m/<R>|<M> is held.
// - Reads take no locks. GetManifest by tag reads t/ and then m/; where m/ is gone, it looks whether the tag has moved.
class CatalogLocks {
 public:
  CatalogLocks& Blob(const Digest& digest, kv::LockMode mode);
  CatalogLocks& Link(const Digest& digest, const RepositoryName& repository, kv::LockMode mode);
  CatalogLocks& Manifest(const RepositoryName& repository, const Digest& digest, kv::LockMode mode);
  CatalogLocks& Tag(const RepositoryName& repository, const entrepot::Tag& tag, kv::LockMode mode);
  CatalogLocks& Repository(const RepositoryName& repository, kv::LockMode mode);

  std::vector<kv::Lock> Take() && { return std::move(locks_); }

 private:
  std::vector<kv::Lock> locks_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_LOCKS_H_
