#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/blob_storage.h"
#include "services/core/content.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/catalog_metrics.h"

namespace entrepot::manifest {

struct CommitTerms {
  absl::Time now;
  absl::Duration lease;
  // May be null: then the commit does not check that the bytes exist.
  BlobStorage* objects = nullptr;
  // The storage key in the blob's record, as it was read before the transaction; nullopt if there was no record. The
  // transaction holds that object exclusively too.
  std::optional<StorageKey> old_key;
};

// Commits a sealed upload (records/blob_record.h): writes the blob's record and its link. The transaction must hold the
// blob and the new object exclusively. BLOB_UPLOAD_UNKNOWN if the bytes are deletable or gone: the commit comes after
// the registry has given up the upload. Returns nullopt, and writes nothing, if the blob's storage key has changed
// since `terms.old_key` was read, so that the transaction does not hold the object that the commit replaces: read the
// record again, and repeat the transaction.
absl::StatusOr<std::optional<CommitResult>> CommitUpload(kv::KvTransaction& transaction,
                                                         const RepositoryName& repository, const Blob& blob,
                                                         const CommitTerms& terms);

// The same for a blob that is LIVE already and whose lease need not be renewed. The transaction must hold the blob
// (shared suffices), and the link and the new object exclusively. Returns nullopt, and writes nothing, if the blob is
// not LIVE.
absl::StatusOr<std::optional<CommitResult>> CommitUploadOfLive(kv::KvTransaction& transaction,
                                                               const RepositoryName& repository, const Blob& blob,
                                                               absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_
