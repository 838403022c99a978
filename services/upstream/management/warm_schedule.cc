#include "services/upstream/management/warm_schedule.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kRetryIntervalMin = absl::Seconds(10);
constexpr absl::Duration kRetryIntervalMax = absl::Minutes(5);

absl::Duration RetryInterval(int failures) {
  return std::min(kRetryIntervalMin * (1 << std::min(failures - 1, 8)), kRetryIntervalMax);
}

absl::StatusOr<ImageToPull> ImageOf(const UpstreamsSnapshot& snapshot, const config::v1::Upstream& upstream,
                                    const config::v1::WarmTags& warm, const std::string& tag) {
  ASSIGN_OR_RETURN(const RepositoryName path,
                   RepositoryName::Parse(absl::StrCat(upstream.name(), "/", warm.repository())));
  ASSIGN_OR_RETURN(std::optional<CachedRepository> cached, snapshot.names.ByPath(path));
  if (!cached.has_value()) return absl::NotFoundError("the upstream has no such repository");
  ASSIGN_OR_RETURN(Reference reference, ParseReference(tag));
  ImageToPull image{.repository = cached->repository, .reference = std::move(reference), .platforms = {}};
  for (const std::string& text : warm.platforms()) {
    ASSIGN_OR_RETURN(Platform platform, ParsePlatform(text));
    image.platforms.push_back(std::move(platform));
  }
  return image;
}

}  // namespace

WarmSchedule::WarmSchedule(Parts parts)
    : parts_(std::move(parts)),
      registry_(parts_.registry != nullptr ? parts_.registry : std::make_shared<prometheus::Registry>()),
      pulls_(prometheus::BuildCounter()
                 .Name("entrepot_upstream_warm_pulls_total")
                 .Help("Pulls of tags that the upstreams file keeps warm.")
                 .Register(*registry_)) {
  if (parts_.poll_interval > absl::ZeroDuration()) {
    task_ = std::make_unique<runtime::PeriodicTask>(parts_.poll_interval, [this] { Advance(); });
  }
}

WarmSchedule::~WarmSchedule() { Stop(); }

void WarmSchedule::Advance() {
  if (stop_.stopped()) return;
  const std::shared_ptr<const UpstreamsSnapshot> snapshot = parts_.upstreams->current();
  const absl::MutexLock lock(&mutex_);
  for (auto& [key, item] : items_) item.listed = false;
  for (const config::v1::Upstream& upstream : snapshot->file.upstreams()) {
    for (const config::v1::WarmTags& warm : upstream.warm()) {
      for (const std::string& tag : warm.tags()) AdvanceTag(*snapshot, upstream, warm, tag);
    }
  }
  std::erase_if(items_, [](const auto& item) { return !item.second.listed && !item.second.runs; });
}

void WarmSchedule::AdvanceTag(const UpstreamsSnapshot& snapshot, const config::v1::Upstream& upstream,
                              const config::v1::WarmTags& warm, const std::string& tag) {
  const std::string key =
      absl::StrCat(upstream.name(), "/", warm.repository(), ":", tag, " ", absl::StrJoin(warm.platforms(), ","));
  Item& item = items_[key];
  item.listed = true;
  const absl::Time now = parts_.clock->Now();
  // The clock may have been set back.
  if (item.runs || (now < item.due_at && now >= item.started_at)) return;
  item.runs = true;
  item.started_at = now;
  executor_.Post([this, key, name = upstream.name(), image = ImageOf(snapshot, upstream, warm, tag),
                  interval = runtime::ToDuration(warm.interval())] { Pull(key, name, image, interval); });
}

void WarmSchedule::Pull(const std::string& key, const std::string& upstream, const absl::StatusOr<ImageToPull>& image,
                        absl::Duration interval) {
  if (stop_.stopped()) return;
  const absl::Status status = image.ok() ? parts_.pull(*image, &stop_) : image.status();
  if (stop_.stopped()) return;
  if (!status.ok()) {
    runtime::Log(runtime::LogLevel::kWarning, "a tag that is kept warm cannot be fetched",
                 {{"upstream", upstream}, {"tag", key.substr(0, key.find(' '))}, {"error", status.message()}});
  }
  const absl::MutexLock lock(&mutex_);
  Item& item = items_[key];
  item.runs = false;
  item.failures = status.ok() ? 0 : item.failures + 1;
  item.due_at = item.started_at + (status.ok() ? interval : std::min(interval, RetryInterval(item.failures)));
  pulls_.Add({{"upstream", upstream}, {"result", status.ok() ? "ok" : "failed"}}).Increment();
}

}  // namespace entrepot::upstream
