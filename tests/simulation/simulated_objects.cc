#include "tests/simulation/simulated_objects.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "services/core/digester.h"
#include "services/status/status_macros.h"

namespace entrepot::simulation {
namespace {

// The blob service's records in the shared KV. A value has the time of the write, the digest, the size, and for an
// object the bytes.
constexpr char kObjects[] = "o/";
constexpr char kSessions[] = "u/";

struct Record {
  absl::Time at;
  Digest digest;
  uint64_t size_bytes;
  std::string bytes;

  std::string Encode() const {
    return absl::StrCat(absl::ToUnixMicros(at), " ", digest.ToString(), " ", size_bytes, " ", bytes);
  }
  static Record Decode(absl::string_view value) {
    const std::vector<absl::string_view> parts = absl::StrSplit(value, absl::MaxSplits(' ', 3));
    int64_t micros = 0;
    uint64_t size_bytes = 0;
    if (!absl::SimpleAtoi(parts[0], &micros) || !absl::SimpleAtoi(parts[2], &size_bytes)) std::abort();
    return {absl::FromUnixMicros(micros), Digest::Parse(parts[1]).value(), size_bytes, std::string(parts[3])};
  }
};

}  // namespace

class SimulatedObjects::Access : public BlobStorage {
 public:
  Access(SimulatedObjects* objects, const Process* process) : objects_(*objects), process_(*process) {}

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override {
    RETURN_IF_ERROR(objects_.Before(process_, "checks the object", key.ToString()));
    const std::optional<std::string> bytes = objects_.Find(key);
    if (!bytes.has_value()) return absl::NotFoundError("no such object");
    return bytes->size() == size_bytes ? absl::OkStatus() : absl::DataLossError("another size");
  }
  absl::Status Verify(const Blob& blob, uint64_t) override {
    RETURN_IF_ERROR(objects_.Before(process_, "verifies the object", blob.storage_key.ToString()));
    const std::optional<std::string> bytes = objects_.Find(blob.storage_key);
    if (!bytes.has_value()) return absl::NotFoundError("no such object");
    const bool good = ComputeDigest(blob.digest.algorithm(), *bytes) == blob.digest;
    return good ? absl::OkStatus() : absl::DataLossError("other bytes");
  }
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override {
    std::vector<absl::Status> statuses;
    for (const StorageKey& key : keys) statuses.push_back(DeleteOne(key));
    return statuses;
  }
  absl::Status Quarantine(const StorageKey& key) override {
    RETURN_IF_ERROR(objects_.Before(process_, "quarantines the object", key.ToString()));
    if (const std::optional<std::string> bytes = objects_.Find(key))
      objects_.volume_.quarantined[key.ToString()] = *bytes;
    objects_.Remove(key, /*deleted=*/false);
    return objects_.After(process_);
  }
  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) override {
    RETURN_IF_ERROR(objects_.Before(process_, "lists unclaimed objects", ""));
    return objects_.ListUnclaimed(age, start_after, limit);
  }
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override {
    RETURN_IF_ERROR(objects_.Before(process_, "lists abandoned uploads", ""));
    return objects_.ListAbandoned(limit);
  }
  absl::Status ForgetAbandoned(const StorageKey& key) override {
    RETURN_IF_ERROR(objects_.Before(process_, "forgets the abandoned upload", key.ToString()));
    objects_.kv_.Write({{kSessions + key.ToString(), std::nullopt}}, kv::Durability::kBuffered);
    return objects_.After(process_);
  }
  absl::StatusOr<OpenUploadPage> ListUploads(const UploadFilter&, const std::string&, size_t) override {
    return absl::UnimplementedError("not simulated");
  }
  absl::StatusOr<CancelledUploads> CancelUploads(const UploadFilter&) override {
    return absl::UnimplementedError("not simulated");
  }
  absl::StatusOr<UploadTotals> CountUploads() override { return absl::UnimplementedError("not simulated"); }
  absl::StatusOr<Waiting> CountQuarantined(size_t) override { return absl::UnimplementedError("not simulated"); }
  absl::StatusOr<StoreOwner> ReadOwner() override {
    RETURN_IF_ERROR(objects_.Before(process_, "reads the owner", ""));
    return objects_.volume_.owner;
  }
  absl::Status WriteOwner(const StoreOwner& owner) override {
    RETURN_IF_ERROR(objects_.Before(process_, "writes the owner", ""));
    const StoreOwner& now = objects_.volume_.owner;
    const bool is_older = now.catalog_id == owner.catalog_id && now.generation > owner.generation;
    if (!is_older) objects_.volume_.owner = owner;
    return objects_.After(process_);
  }
  absl::StatusOr<bool> HasObjects() override {
    RETURN_IF_ERROR(objects_.Before(process_, "looks for objects", ""));
    return !objects_.ObjectKeys().empty();
  }
  absl::StatusOr<ObjectSnapshot> Snapshot(const std::string&) override {
    return absl::UnimplementedError("not simulated");
  }

 private:
  absl::Status DeleteOne(const StorageKey& key) {
    RETURN_IF_ERROR(objects_.Before(process_, "deletes the object", key.ToString()));
    const bool deleted = objects_.volume_.quarantined.erase(key.ToString()) > 0 || objects_.Find(key).has_value();
    objects_.Remove(key, deleted);
    return objects_.After(process_);
  }

  SimulatedObjects& objects_;
  const Process& process_;
};

std::unique_ptr<BlobStorage> SimulatedObjects::Connect(const Process* process) {
  return std::make_unique<Access>(this, process);
}

absl::Status SimulatedObjects::Fate(const Process& process, uint64_t fails_one_in) {
  if (!process.alive || scheduler_.stopped()) return absl::UnavailableError("this process is dead");
  if (scheduler_.random().OneIn(fails_one_in)) return absl::UnavailableError("an injected failure of the object store");
  return absl::OkStatus();
}

absl::Status SimulatedObjects::Before(const Process& process, absl::string_view what, absl::string_view detail) {
  scheduler_.Step(what, detail);
  return Fate(process, faults_.object_call_fails);
}

absl::StatusOr<Blob> SimulatedObjects::Seal(const Process& process, const Digest& digest, const std::string& bytes) {
  RETURN_IF_ERROR(Before(process, "seals", digest.ToString()));
  const bool in_file = scheduler_.random().OneIn(2);
  const std::string key =
      absl::StrFormat("%c%016x%016x", in_file ? 'f' : 'k', scheduler_.random().Next(), scheduler_.random().Next());
  const std::string session = Record{clock_.Now(), digest, bytes.size(), ""}.Encode();
  if (in_file) {
    // The time of the last bytes, which may have come long before the upload was sealed.
    const absl::Duration age = scheduler_.random().OneIn(4) ? absl::Hours(48) : absl::ZeroDuration();
    volume_.files[key] = {bytes, clock_.Now() - age};
    scheduler_.Step("has published", key);
    RETURN_IF_ERROR(Fate(process, faults_.object_answer_lost));
    kv_.Write({{kSessions + key, session}}, kv::Durability::kBuffered);
  } else {
    const std::string object = Record{clock_.Now(), digest, bytes.size(), bytes}.Encode();
    kv_.Write({{kObjects + key, object}, {kSessions + key, session}}, kv::Durability::kBuffered);
  }
  scheduler_.Step("has sealed", key);
  RETURN_IF_ERROR(After(process));
  return Blob{.digest = digest, .size_bytes = bytes.size(), .storage_key = StorageKey::Parse(key).value()};
}

absl::Status SimulatedObjects::SealAgain(const Process& process, const StorageKey& key) {
  RETURN_IF_ERROR(Before(process, "seals again", key.ToString()));
  const auto session = kv_.entries().find(kSessions + key.ToString());
  const bool there = session != kv_.entries().end() && Find(key).has_value() &&
                     Record::Decode(session->second).at + options_.session_lifetime > clock_.Now();
  return there ? absl::OkStatus() : absl::NotFoundError("no such session");
}

absl::Status SimulatedObjects::Forget(const Process& process, const StorageKey& key) {
  RETURN_IF_ERROR(Before(process, "forgets the upload", key.ToString()));
  kv_.Write({{kSessions + key.ToString(), std::nullopt}}, kv::Durability::kBuffered);
  return After(process);
}

absl::StatusOr<std::string> SimulatedObjects::Read(const Process& process, const StorageKey& key) {
  RETURN_IF_ERROR(Before(process, "reads the object", key.ToString()));
  std::optional<std::string> bytes = Find(key);
  if (!bytes.has_value()) return absl::NotFoundError("no such object");
  return *std::move(bytes);
}

std::optional<std::string> SimulatedObjects::Find(const StorageKey& key) const {
  if (const auto file = volume_.files.find(key.ToString()); file != volume_.files.end()) return file->second.bytes;
  const auto entry = kv_.entries().find(kObjects + key.ToString());
  if (entry == kv_.entries().end()) return std::nullopt;
  return Record::Decode(entry->second).bytes;
}

void SimulatedObjects::Remove(const StorageKey& key, bool deleted) {
  volume_.files.erase(key.ToString());
  const std::string in_kv = kObjects + key.ToString();
  if (kv_.entries().find(in_kv) != kv_.entries().end()) kv_.Write({{in_kv, std::nullopt}}, kv::Durability::kBuffered);
  if (observer_) observer_(key, deleted);
}

namespace {

// The entries with one of the prefixes, without the prefix.
template <typename Visit>
void ForEachIn(const SimulatedKv::Entries& entries, absl::string_view prefix, const Visit& visit) {
  for (auto entry = entries.lower_bound(prefix); entry != entries.end() && absl::StartsWith(entry->first, prefix);
       ++entry) {
    visit(entry->first.substr(prefix.size()), entry->second);
  }
}

}  // namespace

std::set<std::string> SimulatedObjects::ObjectKeys() const {
  std::set<std::string> keys;
  for (const auto& [key, file] : volume_.files) keys.insert(key);
  ForEachIn(kv_.entries(), kObjects, [&](std::string key, const std::string&) { keys.insert(std::move(key)); });
  return keys;
}

std::set<std::string> SimulatedObjects::SessionKeys() const {
  std::set<std::string> keys;
  ForEachIn(kv_.entries(), kSessions, [&](std::string key, const std::string&) { keys.insert(std::move(key)); });
  return keys;
}

bool SimulatedObjects::Rot(const StorageKey& key) {
  const auto file = volume_.files.find(key.ToString());
  if (file == volume_.files.end()) return false;
  file->second.bytes[0] ^= 1;
  return true;
}

std::set<std::string> SimulatedObjects::AddOrphans(size_t count, absl::Duration age) {
  std::set<std::string> keys;
  while (keys.size() < count) {
    keys.insert(absl::StrFormat("f%016x%016x", scheduler_.random().Next(), scheduler_.random().Next()));
  }
  for (const std::string& key : keys) volume_.files[key] = {"orphan", clock_.Now() - age};
  return keys;
}

void SimulatedObjects::TakeAway(const std::set<std::string>& keys) {
  for (const std::string& key : keys) volume_.files.erase(key);
}

SimulatedObjects::Volume SimulatedObjects::Exchange(Volume volume) {
  std::swap(volume, volume_);
  return volume;
}

SimulatedKv::Entries SimulatedObjects::WithoutOwn(SimulatedKv::Entries records) {
  std::erase_if(records, [](const auto& entry) {
    return absl::StartsWith(entry.first, kObjects) || absl::StartsWith(entry.first, kSessions);
  });
  return records;
}

absl::StatusOr<StoredObjectPage> SimulatedObjects::ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                                 size_t limit) const {
  // All objects if `age` is 0, whatever the clock shows.
  const absl::Time until = age > absl::ZeroDuration() ? clock_.Now() - age : absl::InfiniteFuture();
  const std::set<std::string> sessions = SessionKeys();
  std::map<std::string, uint64_t> found;
  for (const auto& [key, file] : volume_.files) {
    if (file.created_at <= until && !sessions.contains(key)) found[key] = file.bytes.size();
  }
  ForEachIn(kv_.entries(), kObjects, [&](const std::string& key, const std::string& value) {
    const Record record = Record::Decode(value);
    if (record.at <= until && !sessions.contains(key)) found[key] = record.size_bytes;
  });
  StoredObjectPage page;
  for (auto each = found.upper_bound(start_after); each != found.end(); ++each) {
    if (page.objects.size() == limit) {
      page.next = page.objects.back().storage_key.ToString();
      break;
    }
    page.objects.push_back({StorageKey::Parse(each->first).value(), each->second});
  }
  return page;
}

std::vector<Blob> SimulatedObjects::ListAbandoned(size_t limit) const {
  std::vector<Blob> abandoned;
  ForEachIn(kv_.entries(), kSessions, [&](const std::string& key, const std::string& value) {
    const Record record = Record::Decode(value);
    if (record.at + options_.session_lifetime > clock_.Now() || abandoned.size() == limit) return;
    abandoned.push_back({record.digest, record.size_bytes, StorageKey::Parse(key).value()});
  });
  return abandoned;
}

}  // namespace entrepot::simulation
