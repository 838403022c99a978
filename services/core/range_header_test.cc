#include "services/core/range_header.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

constexpr uint64_t kSize = 4000;

constexpr size_t kRangesMax = 4;

using Ranges = std::vector<ByteRange>;

Ranges Resolved(absl::string_view header, uint64_t size_bytes = kSize) {
  absl::StatusOr<Ranges> ranges = ResolveRangeHeader(header, size_bytes, kRangesMax);
  EXPECT_OK(ranges) << header;
  return ranges.value_or(Ranges());
}

TEST(ResolveRangeHeaderTest, ResolvesASingleRange) {
  EXPECT_EQ(Resolved("bytes=500-1499"), (Ranges{{500, 1000}}));
  EXPECT_EQ(Resolved("bytes=500-"), (Ranges{{500, 3500}}));
  EXPECT_EQ(Resolved("bytes=-500"), (Ranges{{3500, 500}}));
  EXPECT_EQ(Resolved("bytes=0-0"), (Ranges{{0, 1}}));
  EXPECT_EQ(Resolved("BYTES= 3999-3999 "), (Ranges{{3999, 1}}));
}

TEST(ResolveRangeHeaderTest, ClampsToTheObject) {
  EXPECT_EQ(Resolved("bytes=2000-5000"), (Ranges{{2000, 2000}}));
  EXPECT_EQ(Resolved("bytes=-5000"), (Ranges{{0, kSize}}));
  EXPECT_EQ(Resolved("bytes=1-99999999999999999999999"), (Ranges{{1, kSize - 1}}));
  EXPECT_EQ(Resolved("bytes=-99999999999999999999999"), (Ranges{{0, kSize}}));
}

TEST(ResolveRangeHeaderTest, KeepsTheOrderOfSeveralRanges) {
  EXPECT_EQ(Resolved("bytes=0-1,2-3"), (Ranges{{0, 2}, {2, 2}}));
  EXPECT_EQ(Resolved("bytes=100-199, 0-9 ,-1"), (Ranges{{100, 100}, {0, 10}, {3999, 1}}));
}

TEST(ResolveRangeHeaderTest, SkipsEmptyElements) {
  EXPECT_EQ(Resolved("bytes=0-1,"), (Ranges{{0, 2}}));
  EXPECT_EQ(Resolved("bytes=,0-1, ,5-6"), (Ranges{{0, 2}, {5, 2}}));
}

TEST(ResolveRangeHeaderTest, LeavesOutRangesBehindTheObject) {
  EXPECT_EQ(Resolved("bytes=0-1,4000-4001,9-5"), (Ranges{{0, 2}}));
}

TEST(ResolveRangeHeaderTest, ARangeBehindTheObjectIsOutOfRange) {
  for (const char* header : {"bytes=500-0", "bytes=4000-", "bytes=5000-10000", "bytes=-0",
                             "bytes=18446744073709551616-", "bytes=4000-,5000-"}) {
    EXPECT_THAT(ResolveRangeHeader(header, kSize, kRangesMax), IsOciError(OciErrorCode::kRangeInvalid)) << header;
  }
  EXPECT_THAT(ResolveRangeHeader("bytes=0-", 0, kRangesMax), IsOciError(OciErrorCode::kRangeInvalid));
}

TEST(ResolveRangeHeaderTest, OverlappingRangesSelectTheWholeObject) {
  for (const char* header : {"bytes=0-1,1-2", "bytes=0-0,0-0", "bytes=5-,0-5", "bytes=-1,0-3999", "bytes=0-,0-,0-"}) {
    EXPECT_EQ(Resolved(header), Ranges()) << header;
  }
}

TEST(ResolveRangeHeaderTest, RefusesMoreRangesThanTheLimit) {
  EXPECT_EQ(Resolved("bytes=0-0,2-2,4-4,6-6").size(), kRangesMax);
  const auto refused = ResolveRangeHeader("bytes=0-0,2-2,4-4,6-6,8-8", kSize, kRangesMax);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(refused.status().message(),
            "the Range header lists 5 ranges, and one response has at most 4 (limits.ranges_max)");
}

TEST(ResolveRangeHeaderTest, OtherHeadersSelectTheWholeObject) {
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=0", "bytes=0-1,x", "bytes=0-1,-", "bytes=--1",
        "bytes=-1-2", "bytes=+1-2", "bytes=0x0-1", "bytes=1 - 2", "bytes =0-1", "items=0-1", "0-1"}) {
    EXPECT_EQ(Resolved(header), Ranges()) << header;
  }
  EXPECT_EQ(Resolved("bytes=-5", 0), Ranges());
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
