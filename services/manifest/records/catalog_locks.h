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

// The locks of a transaction on the catalog.
//
// In the tables and rules: D is a digest, R a repository, M a manifest's digest, T a tag, U an upstream, K the
// storage key of an object. The protocol:
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
//   p/<R>|<T>      added            n/<R> shared and t/<R>|<T> shared;
//                                   of several writers the last one counts
//                  removed          t/<R>|<T> exclusive
//   w/<R>|<M>                       m/<R>|<M> exclusive with m/; a later time:     m/<R>|<M> exclusive
//                                   n/<R> and m/<R>|<M> shared
//   h/<U>|<D>                       the key itself, exclusive
//   g/…                             the key itself, or its prefix, exclusive
//   g/removals                      g/removals exclusive                           x/<K> exclusive, as far as K goes
//
// Every call that writes l/, m/, t/, d/, s/ or r/ of a repository R also holds n/<R>: exclusive if it makes or deletes
// R, otherwise shared. The collector is an exception: it removes links under b/<D> exclusive alone. While the record
// n/<R> is marked as emptying, n/<R> exclusive is equivalent to all locks on m/<R>|…, t/<R>|… and s/<R>|…, because
// every other writer stops at that record.
//
// The engine takes all locks of a transaction in the order of their keys, so there are no deadlocks.
//
// A blob is held exclusively only to make it, to renew its lease, to mark it CORRUPT and to review it. A base layer
// that many pushes share is therefore held shared almost all the time. A transaction that waits for the exclusive lock
// makes all later ones wait too.
//
// What the protocol decides when two calls race:
// - Manifest PUT and a review of a blob: PUT holds b/<D> shared, the review exclusively. Either PUT finds the blob gone
//   or not LIVE and refuses the manifest, or the review finds the manifest's reference. If the policy allows the blob
//   to be absent, the PUT writes a reference to a blob that is not LIVE. The next review of that blob finds the
//   reference.
// - Manifest PUT (or a mount) and the unlinking of a blob: neither waits. A call that has seen the link counts as the
//   first, which is a valid order: a blob may be unlinked while a manifest refers to it, and its bytes stay for the
//   manifest. A PUT in a repository that may have protected tags (catalog/tag_guard) is different: it holds l/<D>|<R>
//   shared, also if it sets no such tag, because an index may list its manifest already. Either the unlinking comes
//   first and the PUT is refused, or the unlinking sees the reference and the tag and is refused.
// - The link of a blob that a cache needs and the deletion of the manifest that needs it: both hold b/<D> shared, and
//   neither waits. If the link comes second, it is superfluous: the deletion has queued the blob, and the review that
//   deletes the blob removes the link.
// - A tag that is moved or deleted and the tag rules: t/<R>|<T> is held exclusively, and the old record is read under
//   it. If several pushes of one protected tag race, the first one makes the tag; for the others it exists.
// - DELETE of a manifest and a protected tag on it, or on an index that lists it: m/<R>|<M> exclusive against
//   exclusive or shared. Indexes further up are read without locks. That suffices: a PUT of an index needs what the
//   index lists, not what those manifests list in turn. So if a DELETE below an index has not seen a PUT above it, the
//   DELETE counts as the earlier of the two.
// - Deletion of a repository and every write to it: n/<R>. A later write sees the record. It is refused, or makes the
//   repository again once the old content is gone.
// - Two PUTs of manifests that share blobs: both hold b/<D> shared and run side by side.
// - Two commits of one digest: b/<D> exclusive; the second one finds the bytes of the first. A commit that has seen the
//   blob LIVE beforehand holds it shared; if the blob is not LIVE under that lock, the commit starts over.
// - DELETE of a manifest and a PUT of the same manifest, of a tag for it, or of an index that lists it: m/<R>|<M>
//   exclusive against exclusive (or shared, as the child of an index).
// - DELETE of a manifest and a tag that moves away from it: DELETE must also hold the tags that it removes. It learns
//   them by reading d/ before it locks, and reads d/ again under its locks. A tag that has moved away is gone from d/.
//   A tag that has arrived since is not locked: DELETE starts over and locks it too. No tag can arrive while m/<R>|<M>
//   is held.
// - A commit and the deletion of its object: bytes K, which were sealed for D, become D's only under x/<K> exclusive
//   and b/<D> exclusive, while x/<K> does not exist, and after the blob service has confirmed that the object exists.
//   It confirms that before the locks are taken. g/removals has not changed since then: so x/<K> was not written and
//   removed again in between (records/object_removals.h). After three vain attempts it confirms under the locks. A
//   deletion or a quarantine of an object writes x/<K> first and removes it last; it writes x/<K>
//   under b/<D> exclusive, except for the mark of a suspect. So a commit that comes arbitrarily late finds x/<K>, or no
//   object, and is refused. Bytes K that have once stopped being D's never become D's again. (The bytes of a CORRUPT
//   blob are quarantined without x/<K>: a commit of the same bytes is refused because of the record.)
// - A commit and the search for orphans: the mark x/<K> of a suspect is written without knowing D, and all of b/ is
//   read again afterwards. Either the commit came before the mark, and that read finds it, or the commit finds x/<K>.
// - Several collectors: each step reads again everything that it depends on; the second one finds the step done.
// - Reads take no locks. GetManifest by tag reads t/ and then m/; if m/ is gone, it looks whether the tag has moved.
class CatalogLocks {
 public:
  CatalogLocks& Blob(const Digest& digest, kv::LockMode mode);
  CatalogLocks& Link(const Digest& digest, const RepositoryName& repository, kv::LockMode mode);
  CatalogLocks& Manifest(const RepositoryName& repository, const Digest& digest, kv::LockMode mode);
  CatalogLocks& Tag(const RepositoryName& repository, const entrepot::Tag& tag, kv::LockMode mode);
  // The lock of an object's delete intent, x/<K>.
  CatalogLocks& Object(const StorageKey& storage_key, kv::LockMode mode);
  CatalogLocks& Repository(const RepositoryName& repository, kv::LockMode mode);

  std::vector<kv::Lock> Take() && { return std::move(locks_); }

 private:
  std::vector<kv::Lock> locks_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_LOCKS_H_
