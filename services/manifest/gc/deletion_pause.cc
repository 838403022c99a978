#include "services/manifest/gc/deletion_pause.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::DeletionPauseRecord;
using storage::v1::Lease;

constexpr size_t kNameBytes = 16;

absl::StatusOr<DeletionPauseRecord> ReadPauses(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(std::optional<DeletionPauseRecord> record,
                   kv::ReadRecord<DeletionPauseRecord>(kv, keys::DeletionPause()));
  return std::move(record).value_or(DeletionPauseRecord());
}

Lease* Find(const std::string& name, DeletionPauseRecord* record) {
  auto& pauses = *record->mutable_pauses();
  const auto found = std::find_if(pauses.begin(), pauses.end(), [&](const Lease& one) { return one.name() == name; });
  return found == pauses.end() ? nullptr : &*found;
}

template <typename IsRemoved>
bool Remove(const IsRemoved& is_removed, DeletionPauseRecord* record) {
  auto& pauses = *record->mutable_pauses();
  const auto first = std::remove_if(pauses.begin(), pauses.end(), is_removed);
  const bool any = first != pauses.end();
  pauses.erase(first, pauses.end());
  return any;
}

}  // namespace

absl::StatusOr<std::string> DeletionPause::Begin() {
  std::string name = RandomLowerHex(kNameBytes);
  RETURN_IF_ERROR(ChangeRecord([&](DeletionPauseRecord* record) {
    Lease& pause = *record->add_pauses();
    pause.set_name(name);
    *pause.mutable_expires_at() = ToTimestamp(clock_.Now() + kLifetime);
    return true;
  }));
  return name;
}

absl::Status DeletionPause::Renew(const std::string& name) {
  return ChangeRecord([&](DeletionPauseRecord* record) -> absl::StatusOr<bool> {
    Lease* const pause = Find(name, record);
    if (pause == nullptr) {
      return absl::FailedPreconditionError("the pause of deletions has ended, because it was not renewed in time");
    }
    *pause->mutable_expires_at() = ToTimestamp(clock_.Now() + kLifetime);
    return true;
  });
}

absl::Status DeletionPause::End(const std::string& name) {
  return ChangeRecord([&](DeletionPauseRecord* record) {
    return Remove([&](const Lease& pause) { return pause.name() == name; }, record);
  });
}

absl::Status DeletionPause::EndAll() {
  return ChangeRecord([](DeletionPauseRecord* record) { return Remove([](const Lease&) { return true; }, record); });
}

kv::Lock DeletionPause::LockToAsk() { return {.key = keys::DeletionPause(), .mode = kv::LockMode::kShared}; }

absl::StatusOr<bool> DeletionPause::InForce(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const DeletionPauseRecord record, ReadPauses(kv));
  return record.pauses_size() > 0;
}

absl::Status DeletionPause::RemoveEnded() {
  const absl::Time now = clock_.Now();
  const auto has_ended = [&](const Lease& pause) { return FromTimestamp(pause.expires_at()) <= now; };
  ASSIGN_OR_RETURN(const DeletionPauseRecord record, ReadPauses(kv_));
  if (std::none_of(record.pauses().begin(), record.pauses().end(), has_ended)) return absl::OkStatus();
  return ChangeRecord([&](DeletionPauseRecord* current) { return Remove(has_ended, current); });
}

absl::Status DeletionPause::ChangeRecord(const Change& change) {
  return kv_.Transact({{.key = keys::DeletionPause()}}, [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(DeletionPauseRecord record, ReadPauses(transaction));
    ASSIGN_OR_RETURN(const bool changed, change(&record));
    if (!changed) return absl::OkStatus();
    if (record.pauses_size() == 0) {
      transaction.Delete(keys::DeletionPause());
    } else {
      kv::WriteRecord(transaction, keys::DeletionPause(), record);
    }
    return absl::OkStatus();
  });
}

}  // namespace entrepot::manifest
