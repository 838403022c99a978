#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_UPSTREAMS_TEXT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_UPSTREAMS_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/types/v1/cache_room.pb.h"
#include "entrepot/upstream/v1/management.pb.h"

// Answers of the upstream service for people. Each text ends with a newline, except those of progress.
namespace entrepot::ctl {

std::string UpstreamListText(const upstream::v1::UpstreamList& list);
// All that is known of one upstream.
std::string UpstreamStatusText(const upstream::v1::UpstreamStatus& upstream);
std::string UpstreamTestText(const upstream::v1::UpstreamTest& test);
std::string PulledImageText(const std::string& image, const upstream::v1::ImagePull& pull);
std::string UpstreamJobsText(const upstream::v1::UpstreamJobList& list);
std::string EvictionText(const types::v1::CacheEviction& eviction, bool dry_run);

// How far a pull is: "[=====>    ]  52 %  ..." for a terminal, and a line for a log.
std::string PullProgressBar(const upstream::v1::ImagePull& pull, absl::Duration elapsed);
std::string PullProgressLine(const std::string& image, const upstream::v1::ImagePull& pull);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_UPSTREAMS_TEXT_H_
