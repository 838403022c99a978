#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SEALED_RECORD_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SEALED_RECORD_H_

#include "absl/status/statusor.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/object_store.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/digester.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// The digest of a session's bytes, which `digester` has hashed. If `digester` has another algorithm, all bytes are
// hashed again: those of `staged`, or those in the record if it is null.
absl::StatusOr<Digest> DigestOf(const storage::v1::UploadRecord& record, const Digester& digester, StagedUpload* staged,
                                DigestAlgorithm algorithm);

// Turns the record of an open session into that of a sealed one.
void MakeSealed(const Digest& digest, const StorageKey& key, storage::v1::UploadRecord& record);

// The blob in the record of a sealed session.
absl::StatusOr<Blob> SealedBlob(const storage::v1::UploadRecord& record);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SEALED_RECORD_H_
