#include "services/ctl/output/upstreams_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/ctl/output/progress_bar.h"
#include "services/ctl/output/table.h"
#include "services/ctl/output/terminal_output.h"

namespace entrepot::ctl {
namespace {

namespace v1 = upstream::v1;

std::string RoomText(const v1::UpstreamStatus& upstream) {
  if (!upstream.has_room()) return "not measured yet";
  const types::v1::CacheRoom& room = upstream.room();
  return absl::StrCat(SizeText(room.bytes()), ", ", room.repositories(),
                      room.repositories() == 1 ? " repository, " : " repositories, ",
                      Counted(room.manifests(), "manifest"), "; measured ", TimeText(room.measured_at()), " UTC");
}

std::string CapText(const v1::UpstreamStatus& upstream) {
  return upstream.bytes_max() == 0 ? "none" : SizeText(upstream.bytes_max());
}

std::string RateLimitText(const v1::UpstreamStatus& upstream) {
  if (upstream.rate_limit_remaining() < 0) return "not stated";
  std::string text = absl::StrCat(upstream.rate_limit_remaining());
  // 0: the upstream has not stated it.
  if (upstream.rate_limit() > 0) absl::StrAppend(&text, " of ", upstream.rate_limit());
  return text + " left";
}

const char* ResultText(v1::UpstreamTest::Step::Result result) {
  switch (result) {
    case v1::UpstreamTest::Step::OK:
      return "ok";
    case v1::UpstreamTest::Step::FAILED:
      return "FAILED";
    case v1::UpstreamTest::Step::SKIPPED:
      return "skipped";
    default:
      return "unknown";
  }
}

// Blobs are counted while manifests arrive.
std::string AmountsText(const v1::ImagePull& pull) {
  if (pull.blobs() == 0) return Counted(pull.manifests(), "manifest");
  return absl::StrCat(SizeText(pull.bytes_done()), " of ", SizeText(pull.bytes()), ", ", pull.blobs_done(), " of ",
                      Counted(pull.blobs(), "blob"));
}

}  // namespace

std::string UpstreamListText(const v1::UpstreamList& list) {
  if (list.upstreams().empty()) return "the upstreams file has no upstreams\n";
  Table table({"UPSTREAM", "URL", "ROOM", "CAP", "STATE"});
  for (const v1::UpstreamStatus& upstream : list.upstreams()) {
    table.Add({upstream.name(), upstream.url(), upstream.has_room() ? SizeText(upstream.room().bytes()) : "",
               upstream.bytes_max() == 0 ? "" : SizeText(upstream.bytes_max()), upstream.state()});
  }
  return table.ToString();
}

std::string UpstreamStatusText(const v1::UpstreamStatus& upstream) {
  return absl::StrCat(Printable(upstream.name()), "\n  url         ", Printable(upstream.url()), "\n  state       ",
                      Printable(upstream.state()), "\n  requests    ", upstream.requests(), ", ",
                      SizeText(upstream.bytes_fetched()), " fetched\n  manifests   ", upstream.hits(), " hits, ",
                      upstream.misses(), " misses, ", upstream.stale(), " stale\n  rate limit  ",
                      RateLimitText(upstream), "\n  room        ", RoomText(upstream), "\n  cap         ",
                      CapText(upstream), "\n");
}

std::string UpstreamTestText(const v1::UpstreamTest& test) {
  Table table({"STEP", "RESULT", "TIME", "DETAIL"});
  for (const v1::UpstreamTest::Step& step : test.steps()) {
    const bool was_tried = step.result() != v1::UpstreamTest::Step::SKIPPED;
    table.Add({step.name(), ResultText(step.result()), was_tried ? absl::StrFormat("%.3f s", step.seconds()) : "",
               step.detail()});
  }
  return table.ToString();
}

std::string PulledImageText(const std::string& image, const v1::ImagePull& pull) {
  return absl::StrCat("pulled ", Printable(image), ", ", Printable(pull.digest()), "\n",
                      Counted(pull.manifests(), "manifest"), ", ", Counted(pull.blobs(), "blob"), ", ",
                      SizeText(pull.bytes()), "; ", Counted(pull.blobs_here(), "blob"),
                      pull.blobs_here() == 1 ? " was" : " were", " here before\n");
}

std::string UpstreamJobsText(const v1::UpstreamJobList& list) {
  if (list.jobs().empty()) return "no jobs\n";
  Table table({"JOB", "WHAT", "STATE", "STARTED (UTC)", "PROGRESS"});
  for (const v1::UpstreamJob& job : list.jobs()) {
    const bool failed = job.state() == v1::UpstreamJob::FAILED;
    table.Add({job.id(), job.what(), v1::UpstreamJob::State_Name(job.state()), TimeText(job.started_at()),
               failed           ? job.error()
               : job.has_pull() ? AmountsText(job.pull())
                                : ""});
  }
  return table.ToString();
}

std::string EvictionText(const types::v1::CacheEviction& eviction, bool dry_run) {
  std::string text =
      absl::StrCat(Counted(eviction.image_count(), "image"), dry_run ? " would be evicted, " : " evicted, ",
                   SizeText(eviction.freed_bytes()), dry_run ? " freed; nothing was changed" : " freed", "\n");
  if (eviction.has_before() && eviction.has_after()) {
    absl::StrAppend(&text, "the caches ", dry_run ? "need " : "needed ", SizeText(eviction.before().bytes()),
                    dry_run ? ", and would need " : ", and need ", SizeText(eviction.after().bytes()),
                    dry_run ? " then\n" : " now; the collector gives the bytes back\n");
  }
  if (eviction.images().empty()) return text;
  Table table({"REPOSITORY", "TAGS", "LAST USED (UTC)", "DIGEST"});
  for (const types::v1::CacheEviction::Image& image : eviction.images()) {
    table.Add({image.repository(), absl::StrJoin(image.tags(), ", "),
               image.has_used_at() ? TimeText(image.used_at()) : "", image.digest()});
  }
  absl::StrAppend(&text, "\n", table.ToString());
  const uint64_t shown = static_cast<uint64_t>(eviction.images_size());
  if (eviction.image_count() > shown) absl::StrAppend(&text, "and ", eviction.image_count() - shown, " more\n");
  return text;
}

std::string PullProgressBar(const v1::ImagePull& pull, absl::Duration elapsed) {
  return absl::StrCat(ProgressBar(pull.bytes_done(), pull.bytes()), "  ", AmountsText(pull), ", ",
                      absl::FormatDuration(absl::Trunc(elapsed, absl::Seconds(1))));
}

std::string PullProgressLine(const std::string& image, const v1::ImagePull& pull) {
  return absl::StrCat(Printable(image), ": ", AmountsText(pull));
}

}  // namespace entrepot::ctl
