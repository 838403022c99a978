#include "services/blob/sessions/session_records.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/blob/objects/blob_keys.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// Records contain up to 64 KiB of an upload's bytes.
constexpr size_t kScanLimit = 64;

absl::StatusOr<storage::v1::UploadRecord> Parse(const std::string& value) {
  storage::v1::UploadRecord record;
  if (!record.ParseFromString(value)) return absl::DataLossError("the record of an upload session is corrupt");
  return record;
}

}  // namespace

SessionInfo InfoOf(const storage::v1::UploadRecord& record) {
  using Record = storage::v1::UploadRecord;
  SessionInfo info;
  info.owner = {.repository = record.repository(), .account = record.account(), .client = record.client()};
  info.state = record.state() == Record::SEALED  ? SessionState::kSealed
               : record.state() == Record::ENDED ? SessionState::kEnding
                                                 : SessionState::kOpen;
  info.offset_bytes = record.offset_bytes();
  info.whole = record.whole();
  info.touched_at = FromTimestamp(record.updated_at());
  info.started_at = record.has_started_at() ? FromTimestamp(record.started_at()) : info.touched_at;
  return info;
}

SessionRecords::SessionRecords(kv::KvEngine* kv, const Clock* clock, std::string run_id)
    : kv_(*kv), clock_(*clock), run_id_(std::move(run_id)) {}

absl::StatusOr<storage::v1::UploadRecord> SessionRecords::Get(const UploadId& id) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv_.Get(UploadKey(id)));
  if (!value.has_value()) return UnknownSession();
  return Parse(*value);
}

absl::Status SessionRecords::Put(const UploadId& id, storage::v1::UploadRecord& record) {
  Stamp(record);
  RETURN_IF_ERROR(kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        transaction.Put(UploadKey(id), record.SerializeAsString());
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  return Failpoint("blob.session.saved");
}

absl::Status SessionRecords::PutSealedWithObject(const UploadId& id, storage::v1::UploadRecord& record,
                                                 absl::string_view object, kv::Durability durability) {
  Stamp(record);
  RETURN_IF_ERROR(kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        KvObjectStore::Put(KvObjectStore::KeyOf(id), object, transaction);
        transaction.Put(UploadKey(id), record.SerializeAsString());
        return absl::OkStatus();
      },
      durability));
  return Failpoint("blob.seal.recorded");
}

absl::Status SessionRecords::Delete(const std::vector<UploadId>& ids) {
  return kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        for (const UploadId& id : ids) transaction.Delete(UploadKey(id));
        return absl::OkStatus();
      },
      kv::Durability::kBuffered);
}

absl::StatusOr<std::vector<bool>> SessionRecords::Exist(const std::vector<StorageKey>& objects) {
  std::vector<std::string> keys;
  keys.reserve(objects.size());
  for (const StorageKey& object : objects) keys.push_back(UploadKey(UploadOf(object)));
  ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> values, kv_.MultiGet(keys));
  std::vector<bool> exist;
  exist.reserve(values.size());
  for (const std::optional<std::string>& value : values) exist.push_back(value.has_value());
  return exist;
}

absl::Status SessionRecords::ForEach(
    const std::function<void(const UploadId&, const storage::v1::UploadRecord&)>& visit) {
  kv::ScanOptions options{.prefix = std::string(kUploadPrefix), .start_after = "", .limit = kScanLimit};
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page, kv_.Scan(options));
    for (const kv::KeyValue& entry : page) {
      const absl::StatusOr<UploadId> id = ParseUploadKey(entry.key);
      const absl::StatusOr<storage::v1::UploadRecord> record = Parse(entry.value);
      if (id.ok() && record.ok()) {
        visit(*id, *record);
      } else {
        runtime::LogLimited(runtime::LogLevel::kError, "the record of an upload session is corrupt", "",
                            {{"key", absl::CHexEscape(entry.key)}});
      }
    }
    if (page.size() < kScanLimit) return absl::OkStatus();
    options.start_after = page.back().key;
  }
}

void SessionRecords::Stamp(storage::v1::UploadRecord& record) const {
  *record.mutable_updated_at() = ToTimestamp(clock_.Now());
  record.set_written_by(run_id_);
}

}  // namespace entrepot::blob
