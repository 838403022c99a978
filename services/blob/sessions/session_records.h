#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_RECORDS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_RECORDS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/sessions/session_info.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/core/upload_id.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// `trusted` is not in a record.
SessionInfo InfoOf(const storage::v1::UploadRecord& record);

// The sessions' records in the KV. Only the holder of a session's claim (session_table.h) writes its record, so no
// locks are needed. All writes except PutSealedWithObject survive the process, not a power cut. Thread-safe.
class SessionRecords {
 public:
  // `run_id` identifies this run of the service in the records. The arguments outlive this.
  SessionRecords(kv::KvEngine* kv, const Clock* clock, std::string run_id);

  // kNotFound (BLOB_UPLOAD_UNKNOWN) if there is no record.
  absl::StatusOr<storage::v1::UploadRecord> Get(const UploadId& id);
  // Sets the time and the run of the record, and writes it.
  absl::Status Put(const UploadId& id, storage::v1::UploadRecord& record);
  // Writes the record together with its object of the KV tier.
  absl::Status PutSealedWithObject(const UploadId& id, storage::v1::UploadRecord& record, absl::string_view object,
                                   kv::Durability durability);
  // OK for records that do not exist.
  absl::Status Delete(const std::vector<UploadId>& ids);
  // For each object, in their order, whether its upload has a record.
  absl::StatusOr<std::vector<bool>> Exist(const std::vector<StorageKey>& objects);
  // Visits all records, and holds only a few in memory at a time. A record that cannot be read is logged and left out,
  // so that it stops no other session.
  absl::Status ForEach(const std::function<void(const UploadId&, const storage::v1::UploadRecord&)>& visit);

 private:
  void Stamp(storage::v1::UploadRecord& record) const;

  kv::KvEngine& kv_;
  const Clock& clock_;
  const std::string run_id_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_RECORDS_H_
