#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_NEEDS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_NEEDS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/format/manifest_validator.h"
#include "services/manifest/records/catalog_locks.h"

// The gate of a manifest PUT: what a manifest needs against what its repository has.
namespace entrepot::manifest {

// What keeps the answer of FindNeeds() true until the transaction's end, and for a push by an immutable tag beyond:
// that no blob is unlinked which such a tag needs, its links are held too.
enum class Hold { kContent, kContentAndLinks };
void LockNeeds(const RepositoryName& repository, const ValidManifest& manifest, Hold hold, CatalogLocks* locks);

// Content that a manifest refers to and that is there.
struct FoundNeed {
  Digest digest;
  // A manifest of the repository rather than a blob.
  bool is_manifest = false;
};

// Looks for the children of an index among the manifests and then, as build caches need it, among the blobs; for
// anything else among the blobs: LIVE ones that the repository may see. MANIFEST_BLOB_UNKNOWN where something is
// missing, with all of it in the detail; SIZE_INVALID where something has another size than the manifest says.
absl::StatusOr<std::vector<FoundNeed>> FindNeeds(kv::KvReader& kv, const RepositoryName& repository,
                                                 const ValidManifest& manifest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_NEEDS_H_
