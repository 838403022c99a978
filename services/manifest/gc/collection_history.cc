#include "services/manifest/gc/collection_history.h"

#include <algorithm>
#include <string>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::CollectionRecord;

constexpr size_t kKept = 100;
// There are more than kKept only if several collectors have just added theirs.
constexpr size_t kReadMax = 1000;

bool ChangedSomething(const v1::Collection& collection) {
  return collection.condemned() + collection.deleted() + collection.swept() + collection.quarantined() +
             collection.abandoned() >
         0;
}

template <typename From, typename To>
void CopyFields(const From& from, To* to) {
  *to->mutable_started_at() = from.started_at();
  *to->mutable_ended_at() = from.ended_at();
  to->set_reviewed(from.reviewed());
  to->set_condemned(from.condemned());
  to->set_deleted(from.deleted());
  to->set_swept(from.swept());
  to->set_swept_bytes(from.swept_bytes());
  to->set_quarantined(from.quarantined());
  to->set_abandoned(from.abandoned());
  to->set_error(from.error());
}

absl::StatusOr<std::vector<kv::KeyValue>> ReadAll(kv::KvReader& kv) {
  return kv.Scan({.prefix = keys::Collections(), .start_after = "", .limit = kReadMax});
}

}  // namespace

absl::Status AddToHistory(kv::KvEngine& kv, const v1::Collection& collection) {
  if (!ChangedSomething(collection)) return absl::OkStatus();
  CollectionRecord record;
  CopyFields(collection, &record);
  return kv.Transact(
      {{keys::Collections(), kv::LockMode::kExclusive}},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> entries, ReadAll(transaction));
        // Several runs may have started at the same time.
        absl::Time started_at = FromTimestamp(collection.started_at());
        const auto is_taken = [&](const kv::KeyValue& entry) { return entry.key == keys::Collection(started_at); };
        while (std::any_of(entries.begin(), entries.end(), is_taken)) started_at += absl::Microseconds(1);
        kv::WriteRecord(transaction, keys::Collection(started_at), record);
        for (size_t i = 0; i + kKept <= entries.size(); ++i) transaction.Delete(entries[i].key);
        return absl::OkStatus();
      },
      kv::Durability::kBuffered);
}

absl::StatusOr<std::vector<v1::Collection>> ReadHistory(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> entries, ReadAll(kv));
  std::vector<v1::Collection> history;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    ASSIGN_OR_RETURN(const CollectionRecord record, kv::ParseRecord<CollectionRecord>(entry->key, entry->value));
    CopyFields(record, &history.emplace_back());
  }
  return history;
}

}  // namespace entrepot::manifest
