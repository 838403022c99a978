#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_BLOB_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_BLOB_RECORD_H_

#include "absl/status/statusor.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// kDataLoss where the record says nowhere where the bytes lie.
absl::StatusOr<Blob> ToBlob(const Digest& digest, const storage::v1::BlobRecord& record);

// By any manifest, of any repository.
absl::StatusOr<bool> IsReferredTo(kv::KvReader& kv, const Digest& digest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_BLOB_RECORD_H_
