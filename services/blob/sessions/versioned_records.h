#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_VERSIONED_RECORDS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_VERSIONED_RECORDS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/core/time/clock.h"
#include "services/core/upload_id.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Writes the records of sessions that several replicas share. Each write is a transaction under the record's lock, and
// depends on what the record has then. So a request whose session was taken over meanwhile, also one of a process that
// was frozen for an hour, cannot write. Thread-safe.
class VersionedRecords {
 public:
  using Record = storage::v1::UploadRecord;

  // The arguments outlive this.
  VersionedRecords(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // A version that no record has had.
  static std::string NewVersion();

  // Writes a record that does not exist yet, with a new version.
  absl::Status Create(const UploadId& id, Record& record);
  // Runs `change` on the stored record, and writes the result, which is returned. If `change` gives an error (not
  // kAborted), nothing is written and the error is returned. `change` may run more than once. kNotFound
  // (BLOB_UPLOAD_UNKNOWN) if there is no record. The write survives the process, not a power cut.
  absl::StatusOr<Record> Change(const UploadId& id, const std::function<absl::Status(Record&)>& change);
  // Writes `record` in the place of the one with `version`, and sets its time. kOutOfRange (RANGE_INVALID) if the
  // record has another version: another request has changed the session. kNotFound as for Change().
  absl::Status Replace(const UploadId& id, absl::string_view version, Record& record, kv::Durability durability);
  // The same together with the object of the KV tier that the session becomes.
  absl::Status ReplaceWithObject(const UploadId& id, absl::string_view version, Record& record,
                                 absl::string_view object, kv::Durability durability);

 private:
  absl::Status Write(const UploadId& id, const std::function<absl::Status(Record&, kv::KvTransaction&)>& change,
                     kv::Durability durability);

  kv::KvEngine& kv_;
  const Clock& clock_;
};

// kOutOfRange (RANGE_INVALID): another request has changed the session.
absl::Status ChangedMeanwhile();

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_VERSIONED_RECORDS_H_
