#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/object_access.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/catalog_metrics.h"

namespace entrepot::manifest {

struct CommitTerms {
  absl::Time now;
  absl::Duration lease;
  // Null: the bytes are taken for granted.
  ObjectAccess* objects = nullptr;
  // The bytes that the blob had when it was looked at before; their object is held exclusively too.
  std::optional<StorageKey> old_key;
};

// Writes a sealed upload's blob and its link (design, "Life of a blob", 2), within a transaction that holds the blob
// and the new object exclusively. BLOB_UPLOAD_UNKNOWN where the bytes are to be deleted, or are gone: an answer so late
// that the registry has given the upload up. nullopt, and nothing written, where the blob has other bytes by now than
// `terms.old_key`.
absl::StatusOr<std::optional<CommitResult>> CommitUpload(kv::KvTransaction& transaction,
                                                         const RepositoryName& repository, const Blob& blob,
                                                         const CommitTerms& terms);

// The same for a blob that is LIVE already and has lease enough, within a transaction that holds the blob, be it only
// shared, and the link and the new object exclusively. nullopt, and nothing written, where it is not LIVE.
absl::StatusOr<std::optional<CommitResult>> CommitUploadOfLive(kv::KvTransaction& transaction,
                                                               const RepositoryName& repository, const Blob& blob,
                                                               absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_
