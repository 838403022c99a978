#include "services/upstream/names/bytes_max.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::HasSubstr;

TEST(BytesMaxTest, ReadsNumbersWithAndWithoutAUnit) {
  EXPECT_EQ(ParseBytesMax("1048576").value(), 1048576u);
  EXPECT_EQ(ParseBytesMax("1024KiB").value(), uint64_t{1} << 20);
  EXPECT_EQ(ParseBytesMax("3MiB").value(), uint64_t{3} << 20);
  EXPECT_EQ(ParseBytesMax("200 GiB").value(), uint64_t{200} << 30);
  EXPECT_EQ(ParseBytesMax("1024TiB").value(), uint64_t{1} << 50);
}

TEST(BytesMaxTest, RefusesWhatIsNoNumber) {
  for (const char* text : {"", " ", "GiB", "-1GiB", "+1GiB", "1.5GiB", "1e12", "0x100000", "200GB", "200G", "200gib",
                           "1 MiB ", " 1MiB", "1MiBMiB", "99999999999999999999"}) {
    const absl::StatusOr<uint64_t> bytes = ParseBytesMax(text);
    EXPECT_EQ(bytes.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(bytes.status().message()), HasSubstr("such as \"200GiB\"")) << text;
  }
}

TEST(BytesMaxTest, RefusesSizesThatAreTooSmallOrTooLarge) {
  for (const char* text : {"0", "200", "1048575", "1023KiB", "1025TiB", "18446744073709551615", "17592186044416TiB"}) {
    const absl::StatusOr<uint64_t> bytes = ParseBytesMax(text);
    EXPECT_EQ(bytes.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(bytes.status().message()), HasSubstr("from 1MiB to 1024TiB")) << text;
  }
}

TEST(BytesMaxTest, AnEntryWithoutACapHasNone) {
  config::v1::Upstream upstream;
  EXPECT_EQ(BytesMaxOf(upstream), 0u);
  upstream.set_bytes_max("2MiB");
  EXPECT_EQ(BytesMaxOf(upstream), uint64_t{2} << 20);
}

}  // namespace
}  // namespace entrepot::upstream
