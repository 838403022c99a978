#include "services/manifest/gc/store_binding.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/text/lower_hex.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::StoreBindingRecord;

constexpr size_t kIdBytes = 16;
constexpr size_t kObjectsAPage = 1024;

StoreOwner NewOwner() { return {.catalog_id = RandomLowerHex(kIdBytes), .generation = 1}; }

absl::Status Mismatch(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("the records and the objects do not belong together: ", what,
                   ". Nothing is collected, quarantined or scrubbed; pulls and pushes go on. Mount the right volume, "
                   "or restore both "
                   "from one backup, and restart. If they do belong together, run entrepotctl gc accept stores"));
}

absl::StatusOr<StoreOwner> ParseOwner(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<StoreBindingRecord> record,
                   kv::ReadRecord<StoreBindingRecord>(kv, keys::StoreBinding()));
  if (!record.has_value()) return StoreOwner();
  return StoreOwner{.catalog_id = record->catalog_id(), .generation = record->generation()};
}

absl::StatusOr<bool> HasBlobs(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> first,
                   kv.Scan({.prefix = keys::Blobs(), .start_after = "", .limit = 1}));
  return !first.empty();
}

// Whether there is an object of no upload session.
absl::StatusOr<bool> HasUnclaimed(BlobStorage& objects) {
  StoredObjectPage page;
  do {
    ASSIGN_OR_RETURN(page, objects.ListUnclaimed(absl::ZeroDuration(), page.next, kObjectsAPage));
    if (!page.objects.empty()) return true;
  } while (!page.next.empty());
  return false;
}

absl::Status CompareGenerations(const StoreOwner& records, const StoreOwner& store) {
  if (store.generation > records.generation) {
    return Mismatch(absl::StrCat("the records are an older copy (generation ", records.generation,
                                 ", the objects have ", store.generation, ")"));
  }
  if (store.generation + 1 < records.generation) {
    return Mismatch(absl::StrCat("the objects are an older copy (generation ", store.generation, ", the records have ",
                                 records.generation, ")"));
  }
  return absl::OkStatus();
}

}  // namespace

StoreBinding::StoreBinding(kv::KvEngine* kv, BlobStorage* objects,
                           const std::shared_ptr<prometheus::Registry>& registry)
    : kv_(*kv),
      objects_(*objects),
      registry_(registry != nullptr ? registry : std::make_shared<prometheus::Registry>()),
      mismatch_(prometheus::BuildGauge()
                    .Name("entrepot_gc_store_mismatch")
                    .Help("1 if the records and the objects do not belong together; upkeep has stopped then.")
                    .Register(*registry_)
                    .Add({})) {}

absl::Status StoreBinding::Check() {
  const absl::Status status = Compare().status();
  if (!status.ok() && !absl::IsFailedPrecondition(status)) return status;
  mismatch_.Set(status.ok() ? 0 : 1);
  if (!status.ok() && !logged_.exchange(true)) {
    runtime::Log(runtime::LogLevel::kError, "upkeep has stopped: the records and the objects do not belong together",
                 {{"error", status.message()}});
  }
  if (status.ok()) logged_ = false;
  return status;
}

absl::Status StoreBinding::Advance() {
  RETURN_IF_ERROR(Check());
  ASSIGN_OR_RETURN(Sides sides, Compare());
  if (sides.store.catalog_id.empty()) return absl::UnavailableError("the records and the objects cannot be bound now");
  // Otherwise a process died between the two writes, and only the second one is missing.
  if (sides.records.generation == sides.store.generation) {
    StoreOwner next = sides.records;
    ++next.generation;
    ASSIGN_OR_RETURN(sides.records, ReplaceRecord(sides.records, next));
  }
  return WriteOwner(sides.records);
}

absl::Status StoreBinding::WriteOwner(StoreOwner owner) {
  for (;;) {
    RETURN_IF_ERROR(objects_.WriteOwner(owner));
    // If this process stood still before the write, others have raised the generation, and the write has lowered that
    // of the store.
    ASSIGN_OR_RETURN(StoreOwner now, ReadRecord());
    if (now == owner) return absl::OkStatus();
    owner = std::move(now);
  }
}

absl::Status StoreBinding::Accept() {
  ASSIGN_OR_RETURN(const StoreOwner before, ReadRecord());
  // A new id, so that no other copy of either seems to belong to them.
  ASSIGN_OR_RETURN(const StoreOwner after, ReplaceRecord(before, NewOwner()));
  RETURN_IF_ERROR(WriteOwner(after));
  return Check();
}

absl::StatusOr<StoreBinding::Sides> StoreBinding::Compare() {
  for (;;) {
    // The store first: since the record is written before the store, the record that is read now cannot be older.
    ASSIGN_OR_RETURN(const StoreOwner store, objects_.ReadOwner());
    absl::StatusOr<Sides> sides = CompareWith(store);
    if (!absl::IsFailedPrecondition(sides.status())) return sides;
    ASSIGN_OR_RETURN(const StoreOwner store_now, objects_.ReadOwner());
    if (store_now == store) return sides;
    // The generation was raised between the reads: the record that was read may be much newer.
  }
}

absl::StatusOr<StoreBinding::Sides> StoreBinding::CompareWith(const StoreOwner& store) {
  ASSIGN_OR_RETURN(const StoreOwner records, ReadRecord());
  if (records.catalog_id.empty() || store.catalog_id.empty()) return Bind(records, store);
  if (records.catalog_id != store.catalog_id) {
    return Mismatch(absl::StrCat("the objects are those of catalog ", store.catalog_id, ", the records are catalog ",
                                 records.catalog_id));
  }
  RETURN_IF_ERROR(CompareGenerations(records, store));
  return Sides{.records = records, .store = store};
}

absl::StatusOr<StoreBinding::Sides> StoreBinding::Bind(const StoreOwner& records, const StoreOwner& store) {
  if (!store.catalog_id.empty()) {
    return Mismatch(absl::StrCat("the objects are those of catalog ", store.catalog_id, ", and the records are new"));
  }
  ASSIGN_OR_RETURN(const bool has_blobs, HasBlobs(kv_));
  if (has_blobs) {
    ASSIGN_OR_RETURN(const bool has_objects, objects_.HasObjects());
    if (!has_objects) return Mismatch("the records name objects, but there are none");
  } else {
    ASSIGN_OR_RETURN(const bool has_unclaimed, HasUnclaimed(objects_));
    // A commit ends the session of its upload, but only after its blob is recorded. So the blobs are read once more.
    ASSIGN_OR_RETURN(const bool has_first_blob, HasBlobs(kv_));
    if (has_unclaimed && !has_first_blob) return Mismatch("there are objects, but the records name none");
  }
  // A full disk must not keep garbage from being deleted: what cannot be bound now is bound later.
  const absl::StatusOr<StoreOwner> bound =
      records.catalog_id.empty() ? ReplaceRecord(records, NewOwner()) : absl::StatusOr<StoreOwner>(records);
  if (!bound.ok()) return Sides{.records = records, .store = store};
  if (!objects_.WriteOwner(*bound).ok()) return Sides{.records = *bound, .store = store};
  return Sides{.records = *bound, .store = *bound};
}

absl::StatusOr<StoreOwner> StoreBinding::ReadRecord() { return ParseOwner(kv_); }

absl::StatusOr<StoreOwner> StoreBinding::ReplaceRecord(const StoreOwner& before, const StoreOwner& after) {
  StoreOwner now;
  RETURN_IF_ERROR(kv_.Transact({{keys::StoreBinding(), kv::LockMode::kExclusive}},
                               [&](kv::KvTransaction& transaction) -> absl::Status {
                                 ASSIGN_OR_RETURN(now, ParseOwner(transaction));
                                 if (now != before) return absl::OkStatus();
                                 now = after;
                                 StoreBindingRecord record;
                                 record.set_catalog_id(after.catalog_id);
                                 record.set_generation(after.generation);
                                 kv::WriteRecord(transaction, keys::StoreBinding(), record);
                                 return absl::OkStatus();
                               }));
  return now;
}

}  // namespace entrepot::manifest
