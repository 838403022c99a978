#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_

#include <cstdint>
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
  // Whether the bytes of a new blob must exist.
  bool need_object = false;
  // If the blob service has confirmed the object: ReadObjectRemovals() from before that.
  std::optional<uint64_t> removals;
  // Confirms the object under the locks if `removals` does not do. May be null.
  BlobStorage* objects = nullptr;
  // The storage key in the blob's record, as it was read before the transaction; nullopt if there was no record. The
  // transaction holds that object exclusively too.
  std::optional<StorageKey> old_key;
};

// Commits a sealed upload (records/blob_record.h): writes the blob's record and its link. The transaction must hold the
// blob and the new object exclusively. BLOB_UPLOAD_UNKNOWN if the bytes are deletable or gone: the commit comes after
// the registry has given up the upload. Returns nullopt, and writes nothing, if the blob's storage key has changed
// since `terms.old_key` was read, so that the transaction does not hold the object that the commit replaces, or if the
// object may have gone since it was confirmed: read the record and confirm the object again, and repeat the
// transaction.
absl::StatusOr<std::optional<CommitResult>> CommitUpload(kv::KvTransaction& transaction,
                                                         const RepositoryName& repository, const Blob& blob,
                                                         const CommitTerms& terms);

// The same for a blob that is LIVE already and whose lease need not be renewed. The transaction must hold the blob
// (shared suffices), and the link and the new object exclusively. Returns nullopt, and writes nothing, if the blob is
// not LIVE.
absl::StatusOr<std::optional<CommitResult>> CommitUploadOfLive(kv::KvTransaction& transaction,
                                                               const RepositoryName& repository, const Blob& blob,
                                                               absl::Time now);

// OK if the object of the upload exists; BLOB_UPLOAD_UNKNOWN if not.
absl::Status ConfirmObject(BlobStorage* objects, const Blob& blob);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_COMMIT_H_
