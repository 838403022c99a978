#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_LOCKS_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_LOCKS_H_

#include <utility>
#include <vector>

#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/storage_key.h"
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
//   n/<R>                           n/<R> exclusive, to make and to delete it      n/<R> shared
//   x/<K>                           x/<K> exclusive                                x/<K> shared
//   p/<R>|<T>      added            n/<R> and t/<R>|<T> shared: the last one counts
//                  removed          t/<R>|<T> exclusive
//   g/…                             itself, or its prefix, exclusive
//
// Every call that writes l/, m/, t/, d/, s/ or r/ of a repository R holds n/<R> besides, shared, but for one that makes
// or deletes R; not so the collector, which removes links under b/<D> exclusive. While the record n/<R> says that R is
// being emptied, n/<R> exclusive is as good as all locks on m/<R>|…, t/<R>|… and s/<R>|…: nobody else gets past the
// record.
//
// The engine takes all locks of a transaction in the order of their keys, so that none waits in a circle.
//
// A blob is held exclusively only to make it, to renew its lease and to collect it: a base layer that pushes share is
// held shared almost all the time, and all that come behind somebody who wants it for himself wait for him too.
//
// What that decides:
// - Manifest PUT against the collector: PUT holds b/<D> shared, the collector exclusively. Either PUT sees the blob
//   gone and refuses the manifest, or the collector sees its reference.
// - Manifest PUT, or a mount, against the unlinking of a blob: nobody waits. Whoever has seen the link counts as first,
//   which is as good an order as the other: a blob may be unlinked under a manifest, and stays for it. Not so where the
//   PUT is by an immutable tag: it holds l/<D>|<R> shared, and the unlinking either comes first, and the PUT is
//   refused, or sees the reference and the tag, and is refused itself.
// - A tag that moves or goes against the rules of tags: t/<R>|<T> exclusive, under which the old record is read. Where
//   many push one immutable tag at once the first makes it; for the others it is there.
// - DELETE of a manifest against an immutable tag on it, or on an index that lists it: m/<R>|<M> exclusive against
//   exclusive or shared. Further up the lists are read without locks: a PUT of an index needs what it lists, not what
//   that lists, so that whoever deletes from below an index comes before a PUT above it that he has not seen.
// - Deletion of a repository against all that writes to it: n/<R>. Who comes later sees the record, and is refused, or
//   makes the repository anew once it is empty.
// - PUT against PUT of manifests that share blobs: both hold b/<D> shared and go on side by side.
// - Commit and commit of one digest: b/<D> exclusive, and the second finds the first's bytes. A commit that has seen
//   the blob LIVE beforehand holds it shared; if it is not LIVE under that lock, it starts over.
// - DELETE of a manifest against PUT of the same one, of a tag to it, or of an index that lists it: m/<R>|<M> exclusive
//   against exclusive or (child of an index) shared.
// - DELETE of a manifest against a tag that moves away from it: DELETE must also hold the tags that it removes, which
//   it learns by reading d/ before it locks; under its locks it reads d/ again. A tag that has moved away is gone from
//   d/; one that has arrived since is not locked, and DELETE starts over with it. None can arrive once m/<R>|<M> is
//   held.
// - Commit against the deletion of the object that it brings: bytes K, which were sealed for D, become D's only under
//   x/<K> and b/<D> exclusive, while x/<K> is not there, and once the blob service has said, under those locks, that
//   the object is. Who deletes or quarantines an object writes x/<K> first, takes it away last, and writes it under
//   b/<D> exclusive unless it is only a suspect's: so a commit that comes after years sees x/<K>, or no object, and is
//   refused. Once K was D's and is not any more it never is again.
// - Commit against the search for objects that are nobody's: a suspect's x/<K> is written without knowing D, and all b/
//   is read once more afterwards. A commit was before, and is seen there, or sees x/<K>.
// - Collectors against each other: each step looks again at all it needs, and whoever comes second finds it done.
// - Reads take no locks. GetManifest by tag reads t/ and then m/; where m/ is gone, it looks whether the tag has moved.
class CatalogLocks {
 public:
  CatalogLocks& Blob(const Digest& digest, kv::LockMode mode);
  CatalogLocks& Link(const Digest& digest, const RepositoryName& repository, kv::LockMode mode);
  CatalogLocks& Manifest(const RepositoryName& repository, const Digest& digest, kv::LockMode mode);
  CatalogLocks& Tag(const RepositoryName& repository, const entrepot::Tag& tag, kv::LockMode mode);
  // Of an object's delete intent.
  CatalogLocks& Object(const StorageKey& storage_key, kv::LockMode mode);
  CatalogLocks& Repository(const RepositoryName& repository, kv::LockMode mode);

  std::vector<kv::Lock> Take() && { return std::move(locks_); }

 private:
  std::vector<kv::Lock> locks_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_LOCKS_H_
