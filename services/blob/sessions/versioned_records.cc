#include "services/blob/sessions/versioned_records.h"

#include <optional>
#include <utility>

#include "services/blob/objects/blob_keys.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/sessions/session_info.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::Status ChangedMeanwhile() {
  return OciError(OciErrorCode::kRangeInvalid, "another request has changed this upload; get its offset");
}

std::string VersionedRecords::NewVersion() { return RandomLowerHex(8); }

absl::Status VersionedRecords::Create(const UploadId& id, Record& record) {
  record.set_version(NewVersion());
  *record.mutable_updated_at() = ToTimestamp(clock_.Now());
  RETURN_IF_ERROR(kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        kv::WriteRecord(transaction, UploadKey(id), record);
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  return Failpoint("blob.session.saved");
}

absl::StatusOr<VersionedRecords::Record> VersionedRecords::Change(const UploadId& id,
                                                                  const std::function<absl::Status(Record&)>& change) {
  Record changed;
  RETURN_IF_ERROR(Write(
      id,
      [&](Record& stored, kv::KvTransaction&) -> absl::Status {
        RETURN_IF_ERROR(change(stored));
        changed = stored;
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  return changed;
}

absl::Status VersionedRecords::Replace(const UploadId& id, absl::string_view version, Record& record,
                                       kv::Durability durability) {
  *record.mutable_updated_at() = ToTimestamp(clock_.Now());
  RETURN_IF_ERROR(Write(
      id,
      [&](Record& stored, kv::KvTransaction&) {
        if (stored.version() != version) return ChangedMeanwhile();
        stored = record;
        return absl::OkStatus();
      },
      durability));
  if (record.state() == Record::SEALED) return Failpoint("blob.seal.recorded");
  return Failpoint("blob.session.saved");
}

absl::Status VersionedRecords::ReplaceWithObject(const UploadId& id, absl::string_view version, Record& record,
                                                 absl::string_view object, kv::Durability durability) {
  *record.mutable_updated_at() = ToTimestamp(clock_.Now());
  RETURN_IF_ERROR(Write(
      id,
      [&](Record& stored, kv::KvTransaction& transaction) {
        if (stored.version() != version) return ChangedMeanwhile();
        KvObjectStore::Put(KvObjectStore::KeyOf(id), object, transaction);
        stored = record;
        return absl::OkStatus();
      },
      durability));
  return Failpoint("blob.seal.recorded");
}

absl::Status VersionedRecords::Write(const UploadId& id,
                                     const std::function<absl::Status(Record&, kv::KvTransaction&)>& change,
                                     kv::Durability durability) {
  const std::string key = UploadKey(id);
  return kv_.Transact(
      {{key, kv::LockMode::kExclusive}},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(std::optional<Record> stored, kv::ReadRecord<Record>(transaction, key));
        if (!stored.has_value()) return UnknownSession();
        RETURN_IF_ERROR(change(*stored, transaction));
        kv::WriteRecord(transaction, key, *stored);
        return absl::OkStatus();
      },
      durability);
}

}  // namespace entrepot::blob
