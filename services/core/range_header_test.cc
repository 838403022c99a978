#include "services/core/range_header.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

constexpr uint64_t kSize = 4000;

std::optional<ByteRange> Resolved(absl::string_view header, uint64_t size_bytes = kSize) {
  const auto range = ResolveRangeHeader(header, size_bytes);
  EXPECT_OK(range) << header;
  return range.ok() ? *range : std::nullopt;
}

TEST(ResolveRangeHeaderTest, ResolvesASingleRange) {
  EXPECT_EQ(Resolved("bytes=500-1499"), (ByteRange{500, 1000}));
  EXPECT_EQ(Resolved("bytes=500-"), (ByteRange{500, 3500}));
  EXPECT_EQ(Resolved("bytes=-500"), (ByteRange{3500, 500}));
  EXPECT_EQ(Resolved("bytes=0-0"), (ByteRange{0, 1}));
  EXPECT_EQ(Resolved("BYTES= 3999-3999 "), (ByteRange{3999, 1}));
}

TEST(ResolveRangeHeaderTest, ClampsToTheObject) {
  EXPECT_EQ(Resolved("bytes=2000-5000"), (ByteRange{2000, 2000}));
  EXPECT_EQ(Resolved("bytes=-5000"), (ByteRange{0, kSize}));
  EXPECT_EQ(Resolved("bytes=1-99999999999999999999999"), (ByteRange{1, kSize - 1}));
  EXPECT_EQ(Resolved("bytes=-99999999999999999999999"), (ByteRange{0, kSize}));
}

TEST(ResolveRangeHeaderTest, ARangeBehindTheObjectIsOutOfRange) {
  for (const char* header :
       {"bytes=500-0", "bytes=4000-", "bytes=5000-10000", "bytes=-0", "bytes=18446744073709551616-"}) {
    EXPECT_THAT(ResolveRangeHeader(header, kSize), IsOciError(OciErrorCode::kRangeInvalid)) << header;
  }
  EXPECT_THAT(ResolveRangeHeader("bytes=0-", 0), IsOciError(OciErrorCode::kRangeInvalid));
}

TEST(ResolveRangeHeaderTest, OtherHeadersSelectTheWholeObject) {
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0", "bytes=0-1,2-3", "bytes=0-1,", "bytes=--1",
        "bytes=-1-2", "bytes=+1-2", "bytes=0x0-1", "bytes=1 - 2", "bytes =0-1", "items=0-1", "0-1"}) {
    EXPECT_EQ(Resolved(header), std::nullopt) << header;
  }
  EXPECT_EQ(Resolved("bytes=-5", 0), std::nullopt);
}

TEST(ParseUploadContentRangeTest, BothEndsAreInclusive) {
  EXPECT_THAT(ParseUploadContentRange("0-0"), IsOkAndHolds(ByteRange{0, 1}));
  EXPECT_THAT(ParseUploadContentRange("5-14"), IsOkAndHolds(ByteRange{5, 10}));
  EXPECT_THAT(ParseUploadContentRange("0-9223372036854775807"), IsOkAndHolds(ByteRange{0, uint64_t{1} << 63}));
}

TEST(ParseUploadContentRangeTest, RefusesOtherForms) {
  for (const char* header : {"", "-", "0-", "-3", "a-b", "bytes 0-3/4", "bytes=0-3", "0-3/4", " 0-3", "0-3 ", "+0-3",
                             "0--3", "0-9223372036854775808", "18446744073709551616-18446744073709551617"}) {
    EXPECT_THAT(ParseUploadContentRange(header), IsOciError(OciErrorCode::kBlobUploadInvalid)) << header;
  }
}

TEST(ParseUploadContentRangeTest, ABackwardRangeIsOutOfRange) {
  EXPECT_THAT(ParseUploadContentRange("5-3"), IsOciError(OciErrorCode::kRangeInvalid));
}

}  // namespace
}  // namespace entrepot
