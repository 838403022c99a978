#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_QUEUE_ENTRY_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_QUEUE_ENTRY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/kv/kv_engine.h"

// The review queue, through which all garbage goes in the end. A blob that no manifest refers to has an entry, due when
// its lease has ended at the latest. It may have several (reviewing it once more does no harm); one that its record
// knows of needs no other. An entry may outlive its blob.
namespace entrepot::manifest {

// Gives the blob an entry that its record knows of, unless it has one. Within a transaction that holds the blob
// exclusively and writes `record`.
void EnsureReview(kv::KvTransaction& transaction, const Digest& digest, absl::Time now,
                  storage::v1::BlobRecord* record);

// Gives the blob an entry after something that kept it has gone. Within a transaction that holds the blob, be it only
// shared, so that deletes do not wait for the pushes that share a base layer. No such blob is no error: the digest may
// be a manifest's.
absl::Status ReviewBlob(kv::KvTransaction& transaction, const Digest& digest, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_QUEUE_ENTRY_H_
