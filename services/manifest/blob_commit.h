#ifndef ENTREPOT_SERVICES_MANIFEST_BLOB_COMMIT_H_
#define ENTREPOT_SERVICES_MANIFEST_BLOB_COMMIT_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog_metrics.h"

namespace entrepot::manifest {

// Writes a sealed upload's blob and its link (design, "Life of a blob", 2), within a transaction that holds the blob
// exclusively. BLOB_UPLOAD_UNKNOWN where the bytes are to be deleted already: an answer so late that the registry has
// given the upload up.
absl::StatusOr<CommitResult> CommitUpload(kv::KvTransaction& transaction, const RepositoryName& repository,
                                          const Blob& blob, absl::Time now, absl::Duration lease);

// The same for a blob that is LIVE already and has lease enough, within a transaction that holds the blob, be it only
// shared, and the link exclusively. nullopt, and nothing written, where it is not LIVE.
absl::StatusOr<std::optional<CommitResult>> CommitUploadOfLive(kv::KvTransaction& transaction,
                                                               const RepositoryName& repository, const Blob& blob,
                                                               absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_BLOB_COMMIT_H_
