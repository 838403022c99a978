#ifndef ENTREPOT_SERVICES_MANIFEST_BLOB_COMMIT_H_
#define ENTREPOT_SERVICES_MANIFEST_BLOB_COMMIT_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog_metrics.h"

namespace entrepot::manifest {

// Writes a sealed upload's blob and its link, within a transaction that holds the blob's lock exclusively (design,
// "Life of a blob", 2). BLOB_UPLOAD_UNKNOWN where the bytes are to be deleted already: an answer so late that the
// registry has given the upload up.
absl::StatusOr<CommitResult> CommitUpload(kv::KvTransaction& transaction, const RepositoryName& repository,
                                          const Blob& blob, absl::Time now, absl::Duration lease);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_BLOB_COMMIT_H_
