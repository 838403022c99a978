#include "services/upstream/management/upstream_management.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/room_request.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/management/image_pull.h"
#include "services/upstream/management/upstream_jobs.h"
#include "services/upstream/management/upstream_probe.h"
#include "services/upstream/management/warm_schedule.h"
#include "services/upstream/names/bytes_max.h"
#include "services/upstream/names/platform.h"

namespace entrepot::upstream {
namespace {

constexpr size_t kPlatformsMax = 64;
constexpr size_t kAuditedBytesMax = 512;

absl::StatusOr<Reference> ParseReferenceOrLatest(const std::string& text) {
  return ParseReference(text.empty() ? "latest" : text);
}

std::string ImageText(const std::string& repository, const std::string& reference) {
  if (reference.empty()) return repository;
  return absl::StrCat(repository, reference.find(':') == std::string::npos ? ":" : "@", reference);
}

// What the audit log shows of a job; nullopt: it changes nothing.
struct Audited {
  absl::string_view command;
  std::string target;
};
std::optional<Audited> AuditedOf(const v1::StartUpstreamJob& job) {
  if (job.has_pull()) return Audited{"pull", ImageText(job.pull().repository(), job.pull().reference())};
  if (!job.has_evict() || job.evict().dry_run()) return std::nullopt;
  const v1::EvictImages& evict = job.evict();
  if (!evict.repository().empty()) return Audited{"evict", ImageText(evict.repository(), evict.reference())};
  return Audited{"evict", absl::StrCat(evict.upstream(), " to ", evict.bytes_max(), " bytes")};
}

class ManagementImpl final : public UpstreamManagement {
 public:
  explicit ManagementImpl(Parts parts)
      : parts_(std::move(parts)),
        jobs_(parts_.clock),
        warm_({.upstreams = parts_.upstreams,
               .clock = parts_.clock,
               .pull =
                   [this](const ImageToPull& image, StopSignal* stop) {
                     return PullImage(image, parts_.images, parts_.store, stop, [](const v1::ImagePull&) {});
                   },
               .registry = parts_.registry}) {}
  ~ManagementImpl() override { Stop(); }

  absl::StatusOr<v1::ManageUpstreamsResponse> Manage(const v1::ManageUpstreamsRequest& request) override {
    v1::ManageUpstreamsResponse response;
    switch (request.command_case()) {
      case v1::ManageUpstreamsRequest::kListUpstreams:
        *response.mutable_upstreams() = List();
        return response;
      case v1::ManageUpstreamsRequest::kStartJob: {
        ASSIGN_OR_RETURN(*response.mutable_job(), StartJob(request));
        return response;
      }
      case v1::ManageUpstreamsRequest::kGetJob: {
        ASSIGN_OR_RETURN(*response.mutable_job(), jobs_.Get(request.get_job().id()));
        return response;
      }
      case v1::ManageUpstreamsRequest::kListJobs:
        *response.mutable_jobs() = jobs_.List();
        return response;
      case v1::ManageUpstreamsRequest::kCancelJob: {
        ASSIGN_OR_RETURN(*response.mutable_job(), CancelJob(request));
        return response;
      }
      case v1::ManageUpstreamsRequest::COMMAND_NOT_SET:
        break;
    }
    return absl::InvalidArgumentError(
        "the request must have list_upstreams, start_job, get_job, list_jobs or cancel_job");
  }

  void Stop() override {
    jobs_.Stop();
    warm_.Stop();
  }

 private:
  v1::UpstreamList List() const {
    const std::shared_ptr<const UpstreamsSnapshot> snapshot = parts_.upstreams->current();
    v1::UpstreamList list = parts_.images->Status();
    for (v1::UpstreamStatus& status : *list.mutable_upstreams()) {
      if (const config::v1::Upstream* const entry = snapshot->Find(status.name())) {
        status.set_bytes_max(BytesMaxOf(*entry));
      }
      if (!parts_.room) continue;
      if (std::optional<types::v1::CacheRoom> room = parts_.room(status.name()); room.has_value()) {
        *status.mutable_room() = *std::move(room);
      }
    }
    return list;
  }

  absl::StatusOr<v1::UpstreamJob> StartJob(const v1::ManageUpstreamsRequest& request) {
    absl::StatusOr<v1::UpstreamJob> started = StartUnaudited(request.start_job());
    const std::optional<Audited> audited = AuditedOf(request.start_job());
    if (audited.has_value()) WriteAudit(request, *audited, started.ok() ? "started" : "failed");
    return started;
  }

  absl::StatusOr<v1::UpstreamJob> CancelJob(const v1::ManageUpstreamsRequest& request) {
    absl::StatusOr<v1::UpstreamJob> cancelled = jobs_.Cancel(request.cancel_job().id());
    WriteAudit(request, {"cancel", cancelled.ok() ? cancelled->what() : request.cancel_job().id()},
               cancelled.ok() ? "cancelled" : "failed");
    return cancelled;
  }

  void WriteAudit(const v1::ManageUpstreamsRequest& request, const Audited& audited, absl::string_view decision) {
    if (parts_.audit == nullptr) return;
    parts_.audit->Write("upstreams", {{"account", request.caller().account()},
                                      {"address", request.remote_address()},
                                      {"command", audited.command},
                                      {"target", audited.target.substr(0, kAuditedBytesMax)},
                                      {"decision", decision}});
  }

  absl::StatusOr<v1::UpstreamJob> StartUnaudited(const v1::StartUpstreamJob& job) {
    switch (job.job_case()) {
      case v1::StartUpstreamJob::kTest:
        return StartTest(job.test());
      case v1::StartUpstreamJob::kPull:
        return StartPull(job.pull());
      case v1::StartUpstreamJob::kEvict:
        return StartEviction(job.evict());
      case v1::StartUpstreamJob::JOB_NOT_SET:
        break;
    }
    return absl::InvalidArgumentError("start_job must have test, pull or evict");
  }

  absl::Status NoSuchUpstream(const std::string& name) const {
    return absl::NotFoundError(absl::StrCat("the upstreams file has no upstream ", QuotedInput(name)));
  }

  // The repository as all ways to ask for it name it.
  absl::StatusOr<CachedRepository> Locate(const std::string& name) const {
    ASSIGN_OR_RETURN(const RepositoryName path, RepositoryName::Parse(name));
    ASSIGN_OR_RETURN(std::optional<CachedRepository> cached, parts_.upstreams->current()->names.ByPath(path));
    if (cached.has_value()) return *std::move(cached);
    return OciError(OciErrorCode::kNameUnknown,
                    absl::StrCat("no upstream is configured for the repository ", QuotedInput(name)));
  }

  absl::StatusOr<v1::UpstreamJob> StartTest(const v1::TestUpstream& command) {
    const std::shared_ptr<const UpstreamsSnapshot> snapshot = parts_.upstreams->current();
    const config::v1::Upstream* const entry = snapshot->Find(command.upstream());
    if (entry == nullptr) return NoSuchUpstream(command.upstream());
    UpstreamProbe probe{.entry = *entry, .clock = parts_.clock, .make_hop = parts_.make_hop};
    if (!command.repository().empty()) {
      // With the upstream's name before it, it is checked and completed as in requests.
      ASSIGN_OR_RETURN(const CachedRepository cached,
                       Locate(absl::StrCat(command.upstream(), "/", command.repository())));
      ASSIGN_OR_RETURN(probe.reference, ParseReferenceOrLatest(command.reference()));
      probe.repository = cached.name_at_upstream;
    }
    auto test = [probe = std::move(probe)](const UpstreamJobs::Show& show, StopSignal* stop) {
      return RunProbe(probe, stop, [&show](const v1::UpstreamTest& test) {
        show([&test](v1::UpstreamJob* job) { *job->mutable_test() = test; });
      });
    };
    return jobs_.Start("tests", std::move(test), absl::StrCat("test ", command.upstream()));
  }

  absl::StatusOr<v1::UpstreamJob> StartPull(const v1::PullImage& command) {
    ASSIGN_OR_RETURN(const CachedRepository cached, Locate(command.repository()));
    ASSIGN_OR_RETURN(Reference reference, ParseReferenceOrLatest(command.reference()));
    if (command.platforms_size() > static_cast<int>(kPlatformsMax)) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kPlatformsMax, " platforms"));
    }
    std::vector<Platform> platforms;
    for (const std::string& text : command.platforms()) {
      ASSIGN_OR_RETURN(Platform platform, ParsePlatform(text));
      platforms.push_back(std::move(platform));
    }
    ImageToPull image{
        .repository = cached.repository, .reference = std::move(reference), .platforms = std::move(platforms)};
    auto pull = [this, image = std::move(image)](const UpstreamJobs::Show& show, StopSignal* stop) {
      return PullImage(image, parts_.images, parts_.store, stop, [&show](const v1::ImagePull& pull) {
        show([&pull](v1::UpstreamJob* job) { *job->mutable_pull() = pull; });
      });
    };
    return jobs_.Start("pulls", std::move(pull),
                       absl::StrCat("pull ", ImageText(cached.repository.ToString(), command.reference())));
  }

  absl::StatusOr<v1::UpstreamJob> StartEviction(const v1::EvictImages& command) {
    RoomRequest request{.upstream = command.upstream(), .also_recent = true, .dry_run = command.dry_run()};
    if (command.repository().empty()) {
      // Without it, 0 bytes would be the default, which is everything.
      if (!command.has_bytes_max()) return absl::InvalidArgumentError("evict must have repository or bytes_max");
      if (!command.reference().empty()) return absl::InvalidArgumentError("evict.reference needs evict.repository");
      if (parts_.upstreams->current()->Find(command.upstream()) == nullptr) return NoSuchUpstream(command.upstream());
      request.bytes_max = command.bytes_max();
      request.also_recent = true;
    } else {
      RETURN_IF_ERROR(CompleteFromRepository(command, &request));
    }
    auto evict = [this, request = std::move(request)](const UpstreamJobs::Show& show, StopSignal*) -> absl::Status {
      ASSIGN_OR_RETURN(const types::v1::CacheEviction eviction, parts_.store->MakeRoom(request));
      show([&eviction](v1::UpstreamJob* job) { *job->mutable_evict() = eviction; });
      return absl::OkStatus();
    };
    const std::string what =
        command.repository().empty() ? command.upstream() : ImageText(command.repository(), command.reference());
    return jobs_.Start(UpstreamJobs::kEvictions, std::move(evict), absl::StrCat("evict ", what));
  }

  absl::Status CompleteFromRepository(const v1::EvictImages& command, RoomRequest* request) const {
    if (!command.reference().empty()) {
      ASSIGN_OR_RETURN(request->reference, ParseReference(command.reference()));
    }
    ASSIGN_OR_RETURN(request->repository, RepositoryName::Parse(command.repository()));
    // What the file does not have, or allow, any more can be evicted too.
    const auto cached = parts_.upstreams->current()->names.ByPath(*request->repository);
    if (cached.ok() && cached->has_value()) {
      request->repository = (*cached)->repository;
      if (request->upstream.empty()) request->upstream = (*cached)->upstream;
    }
    // The first component of the name of a cache is the upstream. The store refuses other repositories.
    if (request->upstream.empty()) {
      const std::string name = request->repository->ToString();
      request->upstream = name.substr(0, name.find('/'));
    }
    return absl::OkStatus();
  }

  const Parts parts_;
  // The last members: their work uses the others.
  UpstreamJobs jobs_;
  WarmSchedule warm_;
};

}  // namespace

std::unique_ptr<UpstreamManagement> UpstreamManagement::Create(Parts parts) {
  return std::make_unique<ManagementImpl>(std::move(parts));
}

}  // namespace entrepot::upstream
