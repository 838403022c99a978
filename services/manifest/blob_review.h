#ifndef ENTREPOT_SERVICES_MANIFEST_BLOB_REVIEW_H_
#define ENTREPOT_SERVICES_MANIFEST_BLOB_REVIEW_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/kv/kv_engine.h"

// The review queue, through which all garbage goes in the end. A blob has at most one entry; a blob that no manifest
// refers to has exactly one. All within a transaction that holds the blob's lock exclusively.
namespace entrepot::manifest {

// Gives the blob an entry, due when its lease has ended, unless it has one. The caller writes `record`.
void EnsureReview(kv::KvTransaction& transaction, const Digest& digest, absl::Time now,
                  storage::v1::BlobRecord* record);

// The same after something that kept the blob has gone. No such blob is no error: the digest may be a manifest's.
absl::Status ReviewBlob(kv::KvTransaction& transaction, const Digest& digest, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_BLOB_REVIEW_H_
