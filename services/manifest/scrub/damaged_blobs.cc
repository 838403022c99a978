#include "services/manifest/scrub/damaged_blobs.h"

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/content.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/scrub/blob_verifier.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::BlobRecord;

absl::StatusOr<DamagedBlobs> MarkDamagedBlobs(kv::KvEngine& kv, const Clock& clock, BlobStorage& objects,
                                              const Pace& pace) {
  BlobVerifier verifier(&kv, &clock, &objects, /*registry=*/nullptr);
  DamagedBlobs damaged;
  RecordCursor cursor(&kv, keys::Blobs(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return damaged;
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry->key));
    ASSIGN_OR_RETURN(const BlobRecord record, kv::ParseRecord<BlobRecord>(entry->key, entry->value));
    const std::string name = absl::StrCat("I1: ", key.digest->ToString());
    if (record.state() == BlobRecord::CORRUPT) damaged.lines.push_back(absl::StrCat(name, " was CORRUPT"));
    if (record.state() != BlobRecord::LIVE) continue;
    ASSIGN_OR_RETURN(const Blob blob, ToBlob(*key.digest, record));
    ASSIGN_OR_RETURN(const Finding finding, verifier.Verify(blob, /*bytes_per_second=*/0));
    if (finding == Finding::kCorrupt) damaged.lines.push_back(absl::StrCat(name, " has damaged bytes"));
    if (finding == Finding::kMissing) damaged.lines.push_back(absl::StrCat(name, " has no bytes"));
    if (finding == Finding::kGood) damaged.verified_bytes += blob.size_bytes;
    if (!pace(1, blob.size_bytes)) return absl::CancelledError("the check was stopped");
  }
}

}  // namespace entrepot::manifest
