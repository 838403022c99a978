#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_NEEDS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_NEEDS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/format/manifest_validator.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/policy/incomplete_manifests.h"

// What a manifest needs: the blobs and manifests that its repository must have for the manifest to be accepted.
namespace entrepot::manifest {

// Locks what keeps the result of FindNeeds() true until the end of the transaction. kContentAndLinks is for a
// repository that may have protected tags (TagGuard): it also locks the links, so that no blob is unlinked that such a
// tag needs.
enum class NeedLocks { kContent, kContentAndLinks };
void LockNeeds(const RepositoryName& repository, const ValidManifest& manifest, NeedLocks need_locks,
               CatalogLocks* locks);

// A need that the manifest will refer to.
struct FoundNeed {
  Digest digest;
  // A manifest of the repository rather than a blob.
  bool is_manifest = false;
  // The repository does not have it. Then is_manifest is true for a child of an index.
  bool is_absent = false;
};

// Finds the needs of a manifest: the children of an index among the manifests and then among the blobs (build caches
// list blobs in an index), all other needs among the blobs. A blob must be LIVE and linked to the repository.
// MANIFEST_BLOB_UNKNOWN if something is missing that must not be absent; the detail lists it. SIZE_INVALID if something
// has another size than the manifest's descriptor. `tolerance` is what the repository accepts.
absl::StatusOr<std::vector<FoundNeed>> FindNeeds(kv::KvReader& kv, const RepositoryName& repository,
                                                 const ValidManifest& manifest, const policy::Tolerance& tolerance);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_NEEDS_H_
