#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/standalone.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/runtime/config/config_loader.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::config::v1::StandaloneConfig;

FUZZ_TARGET(input) {
  StandaloneConfig config;
  const absl::Status status = entrepot::runtime::ParseConfig(input, "fuzz.yaml", &config);
  if (!status.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(status));
    const std::vector<absl::string_view> lines = absl::StrSplit(status.message(), '\n');
    FUZZ_CHECK(lines.size() <= 101);
    for (const absl::string_view line : lines) {
      FUZZ_CHECK(absl::StartsWith(line, "fuzz.yaml"));
      FUZZ_CHECK(line.find_first_of(absl::string_view("\r\0", 2)) == absl::string_view::npos);
      FUZZ_CHECK(line.size() <= 2000);
    }
    return;
  }
  // A parsed configuration is a valid message: it survives serialization, so all its text is UTF-8.
  StandaloneConfig copy;
  FUZZ_CHECK(copy.ParseFromString(config.SerializeAsString()));
  FUZZ_CHECK(google::protobuf::util::MessageDifferencer::Equals(config, copy));
  // The same text gives the same configuration.
  StandaloneConfig again;
  FUZZ_CHECK(entrepot::runtime::ParseConfig(input, "fuzz.yaml", &again).ok());
  FUZZ_CHECK(google::protobuf::util::MessageDifferencer::Equals(config, again));
}
