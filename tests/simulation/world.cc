#include "tests/simulation/world.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/orphan_quarantine.h"
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

// The collector may not quarantine so many, since there are only a few other objects.
constexpr size_t kTooManyOrphans = manifest::OrphanQuarantine::kAlwaysAllowed + 1;

// The clock may be set by less without being noticed.
constexpr absl::Duration kUnnoticedStep = absl::Minutes(5);

storage::v1::StoreBindingRecord BindingIn(const SimulatedKv::Entries& records) {
  storage::v1::StoreBindingRecord binding;
  const auto found = records.find(keys::StoreBinding());
  if (found != records.end()) binding.ParseFromString(found->second);
  return binding;
}

}  // namespace

World::Registry::Registry(World* world)
    : kv(world->kv_.Connect(&process)), objects(world->objects_.Connect(&process)) {}

World::Maintenance::Maintenance(World* world)
    : kv(world->kv_.Connect(&process)),
      objects(world->objects_.Connect(&process)),
      binding(kv.get(), objects.get(), /*registry=*/nullptr),
      clock_guard(kv.get(), &world->clock_,
                  {.hold = kLease, .since_boot = [world] { return world->clock_.SinceBoot(); }, .registry = nullptr}),
      collector(manifest::Collector::Create(kv.get(), &world->clock_, objects.get(),
                                            {.grace = kGrace,
                                             .lease = kLease,
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
      model_(&clock_, options.clock_guarded ? kLease / 2 - kUnnoticedStep : kLease / 2, options.clock_guarded),
      committed_(kv_.Committed()),
      policy_(policy::Policy::Parse(
                  absl::StrCat(Content::Get().policy, options.immutable_tags ? Content::Get().immutable_tags : ""),
                  "policy.yaml")
                  .value()),
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
  objects_.OnRemoval([this](const StorageKey& key, bool deleted) { CheckRemoval(key, deleted); });
  scheduler_.OnEvent([this] { HandleEvent(); });
  StartRegistry();
  if (options.bound) MayWork(*StartMaintenance());
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
  scheduler_.WaitUntil("waits for the registry", [this] { return !running_.empty(); });
  if (scheduler_.stopped()) return nullptr;
  return running_.size() == 1 ? running_.front() : running_[random().Below(running_.size())];
}

std::shared_ptr<World::Maintenance> World::StartMaintenance() {
  maintenances_.push_back(std::make_shared<Maintenance>(this));
  maintenances_.back()->clock_span.emplace(&clock_);
  return maintenances_.back();
}

void World::KeepRegistryUp() {
  while (busy()) {
    scheduler_.WaitUntil("watches the registry",
                         [this] { return (running_.size() < options_.registries && !right_.has_value()) || !busy(); });
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
  if (made->process.alive) running_.push_back(made);
}

absl::StatusOr<std::unique_ptr<manifest::RegistryCatalog>> World::OpenCatalog(Registry& registry) {
  return manifest::RegistryCatalog::Create(registry.kv.get(), &clock_,
                                           {.shared = options_.registries > 1,
                                            .lease = kLease,
                                            .registry = nullptr,
                                            .policy = [this] { return policy_; },
                                            .objects = registry.objects.get()});
}

bool World::BeginDeletion(Registry& registry) {
  const auto may_begin = [&] { return !registry.deleting && registry.pushes == 0; };
  scheduler_.WaitUntil("waits to delete a repository", [&] { return !registry.process.alive || may_begin(); });
  if (!registry.process.alive || !may_begin()) return false;
  registry.deleting = true;
  return true;
}

void World::HandleEvent() {
  if (right_.has_value() && random().OneIn(3)) return PutBackStores();
  if (random().OneIn(options_.power_cut_one_in)) return LosePower();
  if (random().OneIn(options_.rot_one_in)) return Rot();
  if (random().OneIn(options_.exchange_one_in)) return ExchangeStores();
  if (random().OneIn(options_.orphans_one_in)) return LoseRecords();
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
  if (by < absl::ZeroDuration()) return SetClock(by);
  if (options_.clock_guarded && by > kUnnoticedStep && random().OneIn(2)) return SetClock(3 * kLease);
  clock_.Pass(by);
  scheduler_.Note("time passes:", absl::FormatDuration(by));
  model_.TimePassed();
}

void World::SetClock(absl::Duration by) {
  clock_.Set(by);
  ++clock_sets_;
  scheduler_.Note("the clock is set by", absl::FormatDuration(by));
  // A run that is under way goes on. Other guards notice the step before their next run.
  const bool any_collects = std::any_of(maintenances_.begin(), maintenances_.end(), [](const auto& maintenance) {
    return maintenance->process.alive && maintenance->collecting;
  });
  if (!options_.clock_guarded || any_collects) model_.ClockCounts();
}

void World::ForgetClock() {
  noted_sets_ = clock_sets_;
  model_.ClockCounts();
}

bool World::HoldsBack(Maintenance& maintenance) {
  const uint64_t sets = clock_sets_, failures = kv_.failures();
  const uint64_t watches_since = maintenance.watches_since.value_or(sets);
  // A guard that begins to watch the clock knows only what others have noted.
  if (!maintenance.watches_since.has_value() && noted_sets_ < sets) ForgetClock();
  const absl::Status status = maintenance.clock_guard.Check();
  const bool holds_back = absl::IsFailedPrecondition(status);
  if (status.ok() || holds_back) maintenance.watches_since = watches_since;
  if (!maintenance.process.alive) return true;
  if (holds_back && watches_since < sets && kv_.failures() == failures) noted_sets_ = std::max(noted_sets_, sets);
  if (!holds_back) Classify(status, "the guard of the clock");
  return !status.ok();
}

bool World::JudgeBinding(const Maintenance& maintenance, bool was_bound, const absl::Status& status) {
  if (!maintenance.process.alive || scheduler_.stopped()) return false;
  if (!absl::IsFailedPrecondition(status)) {
    if (Classify(status, "the binding") == Outcome::kDone && right_.has_value()) {
      Violate("stores: records and objects that do not belong together were accepted");
    }
  } else if (was_bound && !right_.has_value()) {
    Violate(absl::StrCat("stores: records and objects that belong together were refused: ", status.message()));
  }
  return status.ok();
}

bool World::MayWork(Maintenance& maintenance) {
  const bool was_bound = !objects_.volume().owner.catalog_id.empty();
  return JudgeBinding(maintenance, was_bound, maintenance.binding.Check());
}

bool World::MayCollect(Maintenance& maintenance) {
  maintenance.collecting = true;
  if (!options_.clock_guarded || !HoldsBack(maintenance)) return MayWork(maintenance);
  // A process that holds back may be restarted.
  if (busy() && random().OneIn(4)) Crash(maintenance.process);
  return false;
}

void World::AdvanceBinding(Maintenance& maintenance) {
  const bool was_bound = !objects_.volume().owner.catalog_id.empty();
  JudgeBinding(maintenance, was_bound, maintenance.binding.Advance());
}

void World::Crash(Process& process) {
  scheduler_.Note("dies:", process.name);
  process.alive = false;
  kv_.Release(&process);
  std::erase_if(running_, [&](const std::shared_ptr<Registry>& one) { return &one->process == &process; });
}

void World::CrashAll() {
  for (const auto& registry : registries_) {
    if (registry->process.alive) Crash(registry->process);
  }
  for (const auto& maintenance : maintenances_) {
    if (maintenance->process.alive) Crash(maintenance->process);
  }
}

void World::LosePower() {
  CrashAll();
  kv_.LosePower();
  model_.ForgetSeen();
  clock_.Reboot();
  ForgetClock();
  CheckNow();
}

void World::ExchangeStores() {
  const StoreOwner& owner = objects_.volume().owner;
  if (right_.has_value() || owner.catalog_id.empty()) return;
  Stores wrong{.records = {}, .objects = objects_.volume()};
  switch (random().Below(5)) {
    case 0:
      scheduler_.Note("the records are missing");
      break;
    case 1:
      if (!copy_.has_value() || BindingIn(*copy_).generation() >= owner.generation) {
        // A copy is known to be older after the next renewal of the binding.
        copy_ = kv_.entries();
        return;
      }
      scheduler_.Note("the records are an older copy");
      wrong.records = *copy_;
      break;
    case 2: {
      scheduler_.Note("the records are those of another catalog");
      storage::v1::StoreBindingRecord binding = BindingIn(kv_.entries());
      binding.set_catalog_id("another");
      wrong.records = kv_.entries();
      wrong.records[keys::StoreBinding()] = binding.SerializeAsString();
      break;
    }
    case 3:
      if (committed_->Scan({.prefix = keys::Blobs(), .start_after = "", .limit = 1})->empty()) return;
      scheduler_.Note("the objects are missing");
      wrong = {.records = SimulatedObjects::WithoutOwn(kv_.entries()), .objects = {}};
      break;
    default:
      if (wrong.objects.files.empty()) return;
      scheduler_.Note("the records are missing, and the objects are those of a backup");
      wrong.objects.owner = StoreOwner();
      break;
  }
  CrashAll();
  right_ =
      Stores{.records = kv_.Exchange(std::move(wrong.records)), .objects = objects_.Exchange(std::move(wrong.objects))};
  ForgetClock();
}

void World::PutBackStores() {
  scheduler_.Note("the right records and objects are put back");
  CrashAll();
  kv_.Exchange(std::move(right_->records));
  objects_.Exchange(std::move(right_->objects));
  right_.reset();
  ForgetClock();
}

void World::LoseRecords() {
  if (right_.has_value() || !orphans_.empty()) return;
  orphans_ = objects_.AddOrphans(kTooManyOrphans, 2 * kOrphanAge);
  scheduler_.Note("many objects have no record");
}

void World::Rot() {
  if (right_.has_value()) return;
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
  if (scheduler_.stopped() || right_.has_value()) return;
  if (const std::optional<std::string> wrong = model_.Check(*committed_)) return Violate(*wrong);
  if (options_.immutable_tags) {
    if (const std::optional<std::string> wrong = model_.CheckImmutable(*committed_)) return Violate(*wrong);
  }
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

void World::CheckRemoval(const StorageKey& key, bool deleted) {
  if (orphans_.contains(key.ToString())) {
    return Violate(absl::StrCat("share: one of ", orphans_.size(), " objects without a record was removed"));
  }
  storage::v1::DeleteIntentRecord intent;
  const auto value = committed_->Get(keys::DeleteIntent(key)).value();
  if (deleted && value.has_value() && intent.ParseFromString(*value) && intent.suspect()) {
    return Violate(absl::StrCat("I4: the suspect ", key.ToString(), " was deleted"));
  }
  CheckNow();
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
  if (right_.has_value()) PutBackStores();
  objects_.TakeAway(orphans_);
  orphans_.clear();
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
  Maintenance& maintenance = *StartMaintenance();
  // An operator may have to bind stores that were not bound before the first push.
  if (objects_.volume().owner.catalog_id.empty() && !maintenance.binding.Check().ok()) {
    if (const absl::Status status = maintenance.binding.Accept(); !status.ok()) return Violate(status.ToString());
  }
  // The guard may hold back because of the time that the last process has seen.
  MayCollect(maintenance);
  for (int round = 0; round < kRestRounds && !violation_.has_value(); ++round) {
    clock_.Pass(10 * kLease);
    model_.TimePassed();
    if (!MayCollect(maintenance)) return Violate("I5: collection still holds back at rest");
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
