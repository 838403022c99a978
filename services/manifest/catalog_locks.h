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
//   record                     is written under                         and cannot change under
//   b/<D>, q/…|<D>             b/<D> exclusive                          b/<D> shared
//   l/<D>|<R>  added           b/<D> shared and l/<D>|<R> exclusive     l/<D>|<R> shared
//              removed         b/<D> exclusive                          b/<D> shared
//   r/<D>|<R>|<M>  added       b/<D> shared and m/<R>|<M> exclusive     b/<D> exclusive
//                  removed     b/<D> exclusive and m/<R>|<M> exclusive  b/<D> shared
//   m/<R>|<M>, s/<R>|…|<M>     m/<R>|<M> exclusive                      m/<R>|<M> shared
//   t/<R>|<T>                  t/<R>|<T> exclusive                      t/<R>|<T> shared
//   d/<R>|<M>|<T>  added       m/<R>|<M> exclusive and t/<R>|<T> exclusive
//                  removed     t/<R>|<T> exclusive                      t/<R>|<T> shared
//   n/<R>                      n/<R> exclusive, and only if it is not there: repositories are never removed
//   x/<K>                      b/<D> exclusive, where K was written for D
//
// The engine takes all locks of a transaction in the order of their keys, so that none waits in a circle.
//
// What that decides:
// - Manifest PUT against the collector, or against the unlinking of a blob: the PUT holds b/<D> shared, both others
//   hold it exclusively. Either the PUT sees the blob gone and refuses the manifest, or they see its reference.
// - PUT against PUT of manifests that share blobs: both hold b/<D> shared and go on side by side.
// - Commit and commit of one digest: b/<D> exclusive, the second finds the first's bytes.
// - Mount against unlink in the source or the target: b/<D> shared against exclusive.
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
