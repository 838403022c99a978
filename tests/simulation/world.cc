#include "tests/simulation/world.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/records/metadata_keys.h"
#include "tests/simulation/content.h"

namespace entrepot::simulation {
namespace {

namespace keys = manifest::keys;

constexpr int kRestRounds = 5;

bool IsRefusal(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

bool IsFault(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kAborted;
}

}  // namespace

World::Registry::Registry(World* world)
    : kv(world->kv_.Connect(&process)), objects(world->objects_.Connect(&process)) {}

World::Maintenance::Maintenance(World* world)
    : kv(world->kv_.Connect(&process)),
      objects(world->objects_.Connect(&process)),
      collector(manifest::Collector::Create(kv.get(), &world->clock_, objects.get(),
                                            {.grace = kGrace,
                                             .orphan_age = kOrphanAge,
                                             .registry = nullptr,
                                             .random = [world] { return world->random().Next(); }})),
      scrubber(manifest::Scrubber::Create(kv.get(), &world->clock_, objects.get(),
                                          {.bytes_per_second = 0, .registry = nullptr})),
      pace([this, world](uint64_t, uint64_t) {
        clock_span.emplace(&world->clock_);
        world->scheduler_.Step("paces itself");
        return process.alive && !world->scheduler_.stopped();
      }) {}

World::World(uint64_t seed, const Options& options)
    : options_(options),
      scheduler_(seed, options.scheduler),
      kv_(&scheduler_, &faults_),
      objects_({.session_lifetime = kSessionLifetime}, &scheduler_, &kv_, &clock_, &faults_),
      model_(&clock_, kLease / 2),
                                             .lease = kLease,
      committed_(kv_.Committed()),
      policy_(policy::Policy::Parse(Content::Get().policy, "policy.yaml").value()),
      failpoints_([this](absl::string_view name) -> absl::Status {
        if (Fiber::Current() == nullptr) return absl::OkStatus();
        scheduler_.Step("reaches", name);
        if (random().OneIn(faults_.failpoint_fails)) return absl::UnavailableError(absl::StrCat("failpoint ", name));
        return absl::OkStatus();
      }) {
  kv_.OnCommit([this] { CheckNow(); });
  model_.OnReviewTime([this] {
    absl::Time latest = absl::InfinitePast();
    for (const auto& maintenance : maintenances_) {
      if (maintenance->process.alive && maintenance->clock_span.has_value()) {
        latest = std::max(latest, maintenance->clock_span->greatest());
      }
    }
    return latest;
  });
  objects_.OnRemoval([this] { CheckNow(); });
  scheduler_.OnEvent([this] { HandleEvent(); });
  StartRegistry();
  faults_ = options.faults;
}

void World::Violate(std::string what) {
  if (violation_.has_value()) return;
  scheduler_.Note("VIOLATION", what);
  for (const auto& [key, value] : kv_.entries()) scheduler_.Note("there is", absl::CHexEscape(key));
  violation_ = std::move(what);
  scheduler_.Stop();
}

Outcome World::Classify(const absl::Status& status, absl::string_view what) {
  if (status.ok()) return Outcome::kDone;
  if (IsRefusal(status.code())) return Outcome::kRefused;
  if (!IsFault(status.code()) && !scheduler_.stopped())
    Violate(absl::StrCat("answer: ", what, ": ", status.ToString()));
  return Outcome::kUnknown;
}

std::shared_ptr<World::Registry> World::AwaitRegistry() {
  scheduler_.WaitUntil("waits for the registry", [this] { return registry_ != nullptr; });
  return scheduler_.stopped() ? nullptr : registry_;
}

std::shared_ptr<World::Maintenance> World::StartMaintenance() {
  maintenances_.push_back(std::make_shared<Maintenance>(this));
  maintenances_.back()->clock_span.emplace(&clock_);
  return maintenances_.back();
}

void World::KeepRegistryUp() {
  while (busy()) {
    scheduler_.WaitUntil("watches the registry", [this] { return registry_ == nullptr || !busy(); });
    if (!busy()) return;
    StartRegistry();
  }
}

void World::StartRegistry() {
  registries_.push_back(std::make_shared<Registry>(this));
  const std::shared_ptr<Registry> made = registries_.back();
  auto catalog = OpenCatalog(*made);
  if (Classify(catalog.status(), "the registry's start") != Outcome::kDone) return;
  made->catalog = *std::move(catalog);
  if (made->process.alive) registry_ = made;
}

absl::StatusOr<std::unique_ptr<manifest::RegistryCatalog>> World::OpenCatalog(Registry& registry) {
  return manifest::RegistryCatalog::Create(
      registry.kv.get(), &clock_,
      {.lease = kLease, .registry = nullptr, .policy = [this] { return policy_; }, .objects = registry.objects.get()});
}

bool World::BeginDeletion(Registry& registry) {
  const auto may_begin = [&] { return !registry.deleting && registry.pushes == 0; };
  scheduler_.WaitUntil("waits to delete a repository", [&] { return !registry.process.alive || may_begin(); });
  if (!registry.process.alive || !may_begin()) return false;
  registry.deleting = true;
  return true;
}

void World::HandleEvent() {
  if (random().OneIn(options_.power_cut_one_in)) return LosePower();
  if (random().OneIn(options_.rot_one_in)) return Rot();
  if (!random().OneIn(options_.crash_one_in)) return MoveClock();
  std::vector<Process*> living;
  for (const auto& registry : registries_) {
    if (registry->process.alive) living.push_back(&registry->process);
  }
  for (const auto& maintenance : maintenances_) {
    if (maintenance->process.alive) living.push_back(&maintenance->process);
  }
  if (!living.empty()) Crash(*random().Of(living));
}

void World::MoveClock() {
  const absl::Duration moves[] = {
      absl::Seconds(1), absl::Minutes(1), kGrace / 2, kGrace + absl::Seconds(1),  kLease / 4, kLease / 4,
      kLease / 4,       kLease / 2,       -kGrace,    -kLease - absl::Seconds(1), 3 * kLease, kLease + absl::Seconds(1),
  };
  const absl::Duration by = random().Of(moves);
  clock_.Move(by);
  scheduler_.Note("the clock moves by", absl::FormatDuration(by));
  model_.ClockMoved();
}

void World::Crash(Process& process) {
  scheduler_.Note("dies:", process.name);
  process.alive = false;
  kv_.Release(&process);
  if (registry_ != nullptr && &registry_->process == &process) registry_ = nullptr;
}

void World::LosePower() {
  for (const auto& registry : registries_) {
    if (registry->process.alive) Crash(registry->process);
  }
  for (const auto& maintenance : maintenances_) {
    if (maintenance->process.alive) Crash(maintenance->process);
  }
  kv_.LosePower();
  CheckNow();
}

void World::Rot() {
  std::vector<std::pair<size_t, StorageKey>> objects;
  const Content& content = Content::Get();
  for (size_t blob = 0; blob < content.blobs.size(); ++blob) {
    const auto value = committed_->Get(keys::Blob(content.blobs[blob].digest)).value();
    storage::v1::BlobRecord record;
    if (!value.has_value() || !record.ParseFromString(*value)) continue;
    objects.emplace_back(blob, StorageKey::Parse(record.storage_key()).value());
  }
  if (objects.empty()) return;
  const auto& [blob, key] = random().Of(objects);
  if (!objects_.Rot(key)) return;
  scheduler_.Note("rots:", key.ToString());
  model_.Rotten(blob);
}

void World::CheckNow() {
  if (scheduler_.stopped()) return;
  if (const std::optional<std::string> wrong = model_.Check(*committed_)) return Violate(*wrong);
  manifest::InvariantOptions invariants;
  invariants.report_corrupt = false;
  invariants.check_object = [this](const StorageKey& key, uint64_t size_bytes) -> absl::Status {
    const std::optional<std::string> bytes = objects_.Find(key);
    if (!bytes.has_value()) return absl::NotFoundError("there is no such object");
    return bytes->size() == size_bytes ? absl::OkStatus() : absl::DataLossError("the object has another size");
  };
  const auto violations = manifest::CheckInvariants(*committed_, invariants);
  if (!violations.ok()) return Violate(violations.status().ToString());
  if (!violations->empty()) Violate(violations->front());
}

void World::Run(const std::vector<std::pair<std::string, std::function<void()>>>& clients,
                const std::vector<std::pair<std::string, std::function<void()>>>& background) {
  clients_left_ = clients.size();
  for (const auto& [name, body] : clients) {
    scheduler_.Spawn(name, [this, body = body] {
      body();
      --clients_left_;
    });
  }
  for (const auto& [name, body] : background) scheduler_.Spawn(name, body);
  scheduler_.Spawn("supervisor", [this] { KeepRegistryUp(); });
  scheduler_.Run();
  if (scheduler_.stuck()) Violate("the history does not end");
  if (!violation_.has_value()) ComeToRest();
  if (!violation_.has_value()) CheckRest();
}

void World::ComeToRest() {
  faults_ = Faults();
  Registry registry(this);
  auto catalog = OpenCatalog(registry);
  if (!catalog.ok()) return Violate(catalog.status().ToString());
  const Content& content = Content::Get();
  for (size_t i = 0; i < content.repositories.size(); ++i) {
    const auto value = committed_->Get(keys::Repository(content.repositories[i])).value();
    storage::v1::RepositoryRecord record;
    if (!value.has_value() || !record.ParseFromString(*value) || !record.emptying()) continue;
    const auto call = model_.DeleteRepository(i);
    const absl::Status status = (*catalog)->repositories().Delete(Caller(), content.repositories[i]).status();
    call->End(Classify(status, "finishing a deletion"));
  }
  Maintenance maintenance(this);
  for (int round = 0; round < kRestRounds && !violation_.has_value(); ++round) {
    clock_.Move(10 * kLease);
    model_.ClockMoved();
    const std::set<std::string> before = LiveAndNeeded();
    for (const auto& run :
         {maintenance.collector->Run(maintenance.pace), maintenance.collector->QuarantineOrphans(maintenance.pace)}) {
      if (!run.ok()) return Violate(absl::StrCat("the collector at rest: ", run.status().ToString()));
      if (!run->error().empty()) return Violate(absl::StrCat("the collector at rest: ", run->error()));
    }
    const std::set<std::string> after = LiveAndNeeded();
    if (!std::includes(after.begin(), after.end(), before.begin(), before.end()))
      Violate("I6: the collector took a blob that a manifest refers to");
  }
}

std::set<std::string> World::LiveAndNeeded() const {
  std::set<std::string> keys;
  for (const SomeBlob& blob : Content::Get().blobs) {
    const std::string key = keys::Blob(blob.digest);
    const auto value = committed_->Get(key).value();
    storage::v1::BlobRecord record;
    if (!value.has_value() || !record.ParseFromString(*value)) continue;
    const auto references =
        committed_->Scan({.prefix = keys::ReferencesTo(blob.digest), .start_after = "", .limit = 1});
    if (record.state() == storage::v1::BlobRecord::LIVE && !references->empty()) keys.insert(key);
  }
  return keys;
}

void World::CheckRest() {
  std::set<std::string> named;
  for (const auto& [key, value] : kv_.entries()) {
    if (absl::StartsWith(key, keys::DeleteIntents()) || absl::StartsWith(key, keys::Reviews())) {
      return Violate(absl::StrCat("I5: at rest there is still ", key));
    }
    if (!absl::StartsWith(key, keys::Blobs())) continue;
    storage::v1::BlobRecord record;
    record.ParseFromString(value);
    named.insert(record.storage_key());
    const Digest digest = *keys::Decode(key)->digest;
    const auto references = committed_->Scan({.prefix = keys::ReferencesTo(digest), .start_after = "", .limit = 1});
    if (references->empty()) return Violate(absl::StrCat("I5: nothing refers to ", digest.ToString()));
    const auto bytes = objects_.Find(StorageKey::Parse(record.storage_key()).value());
    if (record.state() == storage::v1::BlobRecord::LIVE && bytes.has_value() &&
        *bytes != Content::Get().BlobOf(digest).bytes) {
      for (size_t blob = 0; blob < Content::Get().blobs.size(); ++blob) {
        if (Content::Get().blobs[blob].digest == digest && !model_.IsRotten(blob)) {
          return Violate(absl::StrCat("I6: other bytes are stored for ", digest.ToString()));
        }
      }
    }
  }
  for (const std::string& key : objects_.ObjectKeys()) {
    if (!named.contains(key)) return Violate(absl::StrCat("I4: at rest nothing refers to the object ", key));
  }
  for (const std::string& key : objects_.SessionKeys()) {
    return Violate(absl::StrCat("I5: at rest there is still the upload of ", key));
  }
}

}  // namespace entrepot::simulation
