#include "tests/simulation/actors.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/core/media_type.h"
#include "services/core/room_request.h"
#include "services/manifest/caches/cache_evictor.h"
#include "tests/simulation/content.h"

namespace entrepot::simulation {
namespace {

const Content& content = Content::Get();

// How often a client retries an operation whose outcome is unknown.
constexpr int kRetries = 2;

const Caller kAnonymous;

// Whether a push was refused because the repository is a cache, or because it is none.
bool IsOfAnotherKind(const absl::Status& status) {
  return absl::IsUnimplemented(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

size_t Client::SomeRepository() {
  return world_.random().Below(world_.has_caches() ? content.repositories.size() : Content::kHostedRepositories);
}
size_t Client::SomeManifest() { return world_.random().Below(content.manifests.size()); }

void Client::Work(int operations) {
  for (int i = 0; i < operations && !world_.scheduler().stopped(); ++i) {
    world_.scheduler().Step("thinks");
    switch (world_.random().Below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        Push();
        break;
      case 4:
      case 5:
        PullTag();
        break;
      case 6:
        PullImage(SomeRepository(), SomeManifest());
        break;
      case 7:
        DeleteManifest();
        break;
      case 8:
        // What immutable tags need must withstand removals of all kinds.
        if (world_.tags_are_immutable()) {
          UnlinkBlob();
        } else {
          DeleteManifest();
        }
        break;
      case 9:
        DeleteTag();
        break;
      case 10:
        UnlinkBlob();
        break;
      default:
        if (world_.has_caches() && world_.random().OneIn(2)) {
          Evict();
        } else {
          DeleteRepository();
        }
        break;
    }
  }
}

void Client::Push() {
  const size_t repository = SomeRepository(), manifest = SomeManifest();
  std::optional<size_t> tag;
  if (!world_.random().OneIn(4)) tag = world_.random().Below(content.tags.size());
  if (content.IsCache(repository) && !world_.random().OneIn(6)) {
    if (!world_.random().OneIn(4)) return Fetch(repository, manifest, tag);
    return FetchBlob(repository, world_.random().Below(content.blobs.size()));
  }
  const bool partial = world_.random().OneIn(content.MayBeIncomplete(repository) ? 2 : 10);
  for (int attempt = 0; attempt <= kRetries; ++attempt) {
    if (PushManifest(repository, manifest, tag, partial)) return;
  }
}

bool Client::PushManifest(size_t repository, size_t manifest, std::optional<size_t> tag, bool partial) {
  const auto leave_out = [&] { return partial && world_.random().OneIn(3); };
  for (const size_t child : content.manifests[manifest].manifests) {
    if (!leave_out() && !PushManifest(repository, child, std::nullopt, partial)) return false;
  }
  for (const size_t blob : content.manifests[manifest].blobs) {
    if (!leave_out() && !EnsureBlob(repository, blob)) return false;
  }
  return PutManifest(repository, manifest, tag, /*cached=*/false);
}

void Client::Fetch(size_t repository, size_t manifest, std::optional<size_t> tag) {
  if (!PutManifest(repository, manifest, tag, /*cached=*/true)) return;
  for (const size_t blob : content.manifests[manifest].blobs) {
    if (!world_.random().OneIn(3)) FetchBlob(repository, blob);
  }
  for (const size_t child : content.manifests[manifest].manifests) {
    if (!world_.random().OneIn(3)) Fetch(repository, child, std::nullopt);
  }
}

void Client::FetchBlob(size_t repository, size_t blob) {
  if (LinkBlob(repository, blob) == Found::kNo) UploadBlob(repository, blob, /*cached=*/true);
}

Client::Found Client::LinkBlob(size_t repository, size_t blob) {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return Found::kCannotTell;
  const auto call = world_.model().LinkCall(repository, blob);
  const uint64_t failures = world_.kv().failures();
  world_.scheduler().Note("finds or links", content.blobs[blob].digest.ToString());
  const World::Push push(registry.get());
  const auto found = registry->catalog->blobs().FindOrLinkNeeded(kAnonymous, content.repositories[repository],
                                                                 content.blobs[blob].digest);
  world_.scheduler().Note("the link gives", found.status().ToString());
  const Outcome outcome = world_.Classify(found.status(), "a link");
  if (outcome == Outcome::kDone && !world_.model().BlobMayBe(repository, blob)) {
    world_.Violate(absl::StrCat("access: ", content.repositories[repository].ToString(), " got ",
                                content.blobs[blob].digest.ToString(),
                                ", which no manifest of it needs, or no other cache has"));
  }
  // As for HEAD.
  call->End(world_.kv().failures() == failures ? outcome : Outcome::kUnknown);
  if (outcome == Outcome::kUnknown) return Found::kCannotTell;
  return outcome == Outcome::kDone ? Found::kYes : Found::kNo;
}

Outcome Client::ClassifyPush(const absl::Status& status, absl::string_view what) {
  return IsOfAnotherKind(status) ? Outcome::kRefused : world_.Classify(status, what);
}

bool Client::EnsureBlob(size_t repository, size_t blob) {
  // Some clients ask for the blob first, others mount or push it at once.
  if (!world_.random().OneIn(4)) {
    const Found found = HeadBlob(repository, blob);
    if (found != Found::kNo) return found == Found::kYes;
    if (world_.random().OneIn(3) && MountBlob(repository, blob)) return true;
  } else if (world_.random().OneIn(2) && MountBlob(repository, blob)) {
    return true;
  }
  return UploadBlob(repository, blob, /*cached=*/false);
}

Client::Found Client::HeadBlob(size_t repository, size_t blob) {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return Found::kCannotTell;
  const auto call = world_.model().BlobCall(repository, blob);
  const uint64_t failures = world_.kv().failures();
  world_.scheduler().Note("HEAD", content.blobs[blob].digest.ToString());
  const auto found =
      registry->catalog->blobs().Find(kAnonymous, content.repositories[repository], content.blobs[blob].digest);
  world_.scheduler().Note("HEAD gives", found.status().ToString());
  const Outcome outcome = world_.Classify(found.status(), "HEAD of a blob");
  // If no lease can be written, a blob that a manifest refers to is found all the same, so that pulls continue. Such an
  // answer promises nothing beyond that manifest.
  call->End(world_.kv().failures() == failures ? outcome : Outcome::kUnknown);
  if (outcome == Outcome::kUnknown) return Found::kCannotTell;
  return outcome == Outcome::kDone ? Found::kYes : Found::kNo;
}

bool Client::MountBlob(size_t repository, size_t blob) {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return false;
  std::optional<RepositoryName> source;
  if (world_.random().OneIn(2)) source = content.repositories[SomeRepository()];
  const auto call = world_.model().BlobCall(repository, blob);
  world_.model().MayArrive(repository, blob, /*cached=*/false);
  world_.scheduler().Note("mounts", content.blobs[blob].digest.ToString());
  const World::Push push(registry.get());
  const auto mounted = registry->catalog->blobs().Mount(kAnonymous, content.repositories[repository],
                                                        content.blobs[blob].digest, source);
  world_.scheduler().Note("the mount gives", mounted.status().ToString());
  call->End(ClassifyPush(mounted.status(), "a mount"));
  return mounted.ok();
}

bool Client::UploadBlob(size_t repository, size_t blob, bool cached) {
  auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return false;
  const SomeBlob& some = content.blobs[blob];
  const absl::StatusOr<Blob> sealed = world_.objects().Seal(registry->process, some.digest, some.bytes);
  if (!sealed.ok()) return false;
  world_.scheduler().Step("is past sealing");
  for (int attempt = 0; attempt <= kRetries; ++attempt) {
    const auto call = world_.model().BlobCall(repository, blob);
    world_.scheduler().Note("commits", absl::StrCat(some.digest.ToString(), " at ", sealed->storage_key.ToString()));
    world_.model().MayArrive(repository, blob, cached);
    const World::Push push(registry.get());
    const auto committed = registry->catalog->blobs().Commit(kAnonymous, content.repositories[repository], *sealed,
                                                             cached ? content.upstream : "");
    world_.scheduler().Note("the commit gives", committed.status().ToString());
    const Outcome outcome = ClassifyPush(committed.status(), "a commit");
    call->End(outcome);
    if (outcome == Outcome::kDone) {
      // The client may die before that; then the session expires.
      world_.objects().Forget(registry->process, sealed->storage_key).IgnoreError();
      return true;
    }
    if (outcome == Outcome::kRefused) return false;
    registry = world_.AwaitRegistry();
    if (registry == nullptr) return false;
    if (!world_.objects().SealAgain(registry->process, sealed->storage_key).ok()) return false;
  }
  return false;
}

bool Client::PutManifest(size_t repository, size_t manifest, std::optional<size_t> tag, bool cached) {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return false;
  const struct SomeManifest& some = content.manifests[manifest];
  const ManifestPut put{.reference = tag.has_value() ? Reference(content.tags[*tag]) : Reference(some.digest),
                        .media_type = MediaType::Parse(some.media_type).value(),
                        .content = some.content,
                        .tags = {},
                        .cache_of = cached ? content.upstream : ""};
  const auto call = world_.model().PutManifest(repository, manifest, tag, cached);
  world_.scheduler().Note(cached ? "stores" : "PUT", some.digest.ToString());
  const World::Push push(registry.get());
  const auto result = registry->catalog->manifests().Put(kAnonymous, content.repositories[repository], put);
  world_.scheduler().Note("PUT gives", result.status().ToString());
  const Outcome outcome = ClassifyPush(result.status(), "a PUT of a manifest");
  // A rule on tags, and the kind of the repository, refuse pushes for other reasons.
  const bool is_refused = outcome == Outcome::kRefused && !IsOfAnotherKind(result.status());
  if (is_refused && cached) {
    world_.Violate(absl::StrCat("answer: a cached manifest was refused: ", result.status().ToString()));
  }
  if (is_refused && !absl::IsPermissionDenied(result.status()) && world_.model().WasPromised(*call)) {
    world_.Violate(
        absl::StrCat("I3: a manifest was refused though its blobs were acknowledged: ", result.status().ToString()));
  }
  call->End(outcome);
  return outcome == Outcome::kDone;
}

void Client::PullTag() {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  const size_t repository = SomeRepository(), tag = world_.random().Below(content.tags.size());
  const auto pull = world_.model().Read();
  const auto found = registry->catalog->manifests().Get(kAnonymous, content.repositories[repository], content.tags[tag],
                                                        /*metadata_only=*/false);
  world_.scheduler().Note("the tag gives", found.ok() ? found->digest.ToString() : found.status().ToString());
  const Outcome outcome = world_.Classify(found.status(), "GET of a tag");
  pull->End(outcome);
  if (outcome == Outcome::kUnknown || world_.scheduler().stopped()) return;
  const std::string digest = found.ok() ? found->digest.ToString() : "";
  if (!world_.model().TagMayBe(*pull, repository, tag, digest)) {
    return world_.Violate(absl::StrCat("I6: a tag was read as ", digest.empty() ? "nothing" : digest));
  }
  for (size_t i = 0; i < content.manifests.size(); ++i) {
    if (found.ok() && content.manifests[i].digest == found->digest) PullImage(repository, i);
  }
}

void Client::PullImage(size_t repository, size_t manifest) {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  const struct SomeManifest& some = content.manifests[manifest];
  const auto pull = world_.model().Read();
  const auto found = registry->catalog->manifests().Get(kAnonymous, content.repositories[repository], some.digest,
                                                        /*metadata_only=*/false);
  const Outcome outcome = world_.Classify(found.status(), "GET of a manifest");
  if (outcome != Outcome::kUnknown && !world_.scheduler().stopped()) {
    if (!world_.model().ManifestMayBe(*pull, repository, manifest, found.ok())) {
      world_.Violate(absl::StrCat("I6: ", some.digest.ToString(), found.ok() ? " was read" : " was not found"));
    } else if (found.ok() && found->content != some.content) {
      world_.Violate(absl::StrCat("I6: ", some.digest.ToString(), " has other bytes"));
    }
  }
  if (outcome == Outcome::kDone) {
    for (const size_t blob : some.blobs) PullBlob(*pull, repository, manifest, blob);
    for (const size_t child : some.manifests) PullImage(repository, child);
  }
  pull->End(outcome);
}

void Client::PullBlob(const Model::Call& pull, size_t repository, size_t manifest, size_t blob) {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  const SomeBlob& some = content.blobs[blob];
  const auto missing = [&](absl::string_view what) {
    if (world_.scheduler().stopped() || !world_.model().ManifestIsWhole(pull, repository, manifest)) return;
    world_.Violate(absl::StrCat("I6: ", content.repositories[repository].ToString(), "@",
                                content.manifests[manifest].digest.ToString(), " cannot be pulled: ", what, " ",
                                some.digest.ToString()));
  };
  const auto found = registry->catalog->blobs().Find(kAnonymous, content.repositories[repository], some.digest);
  const Outcome outcome = world_.Classify(found.status(), "GET of a blob");
  if (outcome == Outcome::kRefused) return missing("there is no blob");
  if (outcome == Outcome::kUnknown) return;
  const auto bytes = world_.objects().Read(registry->process, found->storage_key);
  if (absl::IsNotFound(bytes.status())) return missing("there are no bytes of");
  if (bytes.ok() && *bytes != some.bytes) missing("there are other bytes of");
}

void Client::DeleteManifest() {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  const size_t repository = SomeRepository(), manifest = SomeManifest();
  const auto call = world_.model().DeleteManifest(repository, manifest);
  const absl::Status status = registry->catalog->manifests().Delete(kAnonymous, content.repositories[repository],
                                                                    content.manifests[manifest].digest);
  world_.scheduler().Note("deleting the manifest gives", status.ToString());
  call->End(world_.Classify(status, "DELETE of a manifest"));
}

void Client::DeleteTag() {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  const size_t repository = SomeRepository(), tag = world_.random().Below(content.tags.size());
  const auto call = world_.model().DeleteTag(repository, tag);
  const absl::Status status =
      registry->catalog->manifests().Delete(kAnonymous, content.repositories[repository], content.tags[tag]);
  world_.scheduler().Note("deleting the tag gives", status.ToString());
  call->End(world_.Classify(status, "DELETE of a tag"));
}

void Client::UnlinkBlob() {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  const size_t repository = SomeRepository(), blob = world_.random().Below(content.blobs.size());
  const auto call = world_.model().Unlink(repository, blob);
  const absl::Status status =
      registry->catalog->blobs().Unlink(kAnonymous, content.repositories[repository], content.blobs[blob].digest);
  world_.scheduler().Note("unlinking the blob gives", status.ToString());
  call->End(world_.Classify(status, "DELETE of a blob"));
}

void Client::DeleteRepository() {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr || !world_.BeginDeletion(*registry)) return;
  const size_t repository = SomeRepository();
  const auto call = world_.model().DeleteRepository(repository);
  world_.scheduler().Note("deletes the repository", content.repositories[repository].ToString());
  const absl::Status status =
      registry->catalog->repositories().Delete(kAnonymous, content.repositories[repository]).status();
  world_.scheduler().Note("deleting the repository gives", status.ToString());
  call->End(world_.Classify(status, "DELETE of a repository"));
  world_.EndDeletion(*registry);
}

void Client::Evict() {
  const auto registry = world_.AwaitRegistry();
  if (registry == nullptr) return;
  RoomRequest request;
  request.upstream = content.upstream;
  request.also_recent = !world_.random().OneIn(3);
  request.bytes_max = world_.random().OneIn(2) ? 0 : 1000;
  if (world_.random().OneIn(3)) request.repository = content.repositories[SomeRepository()];
  const auto call = world_.model().Evict();
  world_.scheduler().Note("evicts", request.repository.has_value() ? request.repository->ToString() : "by a cap");
  manifest::CacheEvictor evictor(registry->kv.get(), world_.clock(), registry->catalog.get(), /*pulls=*/nullptr);
  const auto evicted = evictor.MakeRoom(request, [&](uint64_t, uint64_t) {
    world_.scheduler().Step("paces itself");
    return registry->process.alive && !world_.scheduler().stopped();
  });
  world_.scheduler().Note("the eviction gives", evicted.status().ToString());
  // What it could not do is not an error of the simulation, but the end of the process is.
  if (registry->process.alive) world_.Classify(evicted.status(), "an eviction");
  call->End(Outcome::kDone);
}

namespace {

// Calls `run` repeatedly, in a process that is restarted after it has died.
template <typename Run>
void KeepRunning(World* world, const Run& run) {
  while (world->busy()) {
    const std::shared_ptr<World::Maintenance> maintenance = world->StartMaintenance();
    while (world->busy() && maintenance->process.alive) {
      world->scheduler().Step("begins a run");
      run(*maintenance);
      maintenance->collecting = false;
      for (size_t pause = world->random().Below(30); pause > 0 && world->busy(); --pause) {
        world->scheduler().Step("rests");
      }
    }
  }
}

void CheckRun(World* world, const World::Maintenance& maintenance, const absl::Status& status, const std::string& error,
              absl::string_view what) {
  if (!maintenance.process.alive) return;
  world->Classify(status, what);
  world->scheduler().Note(what, error);
}

}  // namespace

void Collect(World* world) {
  KeepRunning(world, [&](World::Maintenance& maintenance) {
    if (!world->MayCollect(maintenance)) return;
    // Some runs are those of an operator who does not want to wait for graces.
    const bool now = world->random().Below(4) == 0;
    const auto run = maintenance.collector->Run(maintenance.pace, now);
    CheckRun(world, maintenance, run.status(), run.ok() ? run->error() : "", "a run of the collector");
  });
}

void QuarantineOrphans(World* world) {
  KeepRunning(world, [&](World::Maintenance& maintenance) {
    if (!world->MayCollect(maintenance)) return;
    const auto run = maintenance.collector->QuarantineOrphans(maintenance.pace);
    CheckRun(world, maintenance, run.status(), run.ok() ? run->error() : "", "a quarantine of orphans");
  });
}

void Scrub(World* world) {
  KeepRunning(world, [&](World::Maintenance& maintenance) {
    if (!world->MayWork(maintenance)) return;
    const auto run = maintenance.scrubber->RunNow(maintenance.pace);
    CheckRun(world, maintenance, run.status(), "", "a scrub");
  });
}

void RenewBinding(World* world) {
  KeepRunning(world, [&](World::Maintenance& maintenance) { world->AdvanceBinding(maintenance); });
}

}  // namespace entrepot::simulation
