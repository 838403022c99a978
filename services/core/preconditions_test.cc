#include "services/core/preconditions.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

Digest DigestOf(char c) { return Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, c)); }

const auto kFails = IsOciError(OciErrorCode::kPreconditionFailed);

TEST(PreconditionsTest, NoConditionAlwaysHolds) {
  EXPECT_OK(Preconditions().Check(std::nullopt));
  EXPECT_OK(Preconditions().Check(DigestOf('a')));
}

TEST(PreconditionsTest, IfMatchNeedsOneOfItsDigests) {
  const Preconditions some{.if_match = EntityTags{.digests = {DigestOf('a'), DigestOf('b')}}};
  EXPECT_OK(some.Check(DigestOf('a')));
  EXPECT_OK(some.Check(DigestOf('b')));
  EXPECT_THAT(some.Check(DigestOf('c')), kFails);
  EXPECT_THAT(some.Check(std::nullopt), kFails);
  const Preconditions any{.if_match = EntityTags{.any = true}};
  EXPECT_OK(any.Check(DigestOf('c')));
  EXPECT_THAT(any.Check(std::nullopt), kFails);
  // The tags of the field were not digests.
  EXPECT_THAT((Preconditions{.if_match = EntityTags{}}.Check(DigestOf('a'))), kFails);
}

TEST(PreconditionsTest, IfNoneMatchFailsOnEachOfItsDigests) {
  const Preconditions some{.if_none_match = EntityTags{.digests = {DigestOf('a'), DigestOf('b')}}};
  EXPECT_THAT(some.Check(DigestOf('a')), kFails);
  EXPECT_THAT(some.Check(DigestOf('b')), kFails);
  EXPECT_OK(some.Check(DigestOf('c')));
  EXPECT_OK(some.Check(std::nullopt));
  const Preconditions any{.if_none_match = EntityTags{.any = true}};
  EXPECT_THAT(any.Check(DigestOf('c')), kFails);
  EXPECT_OK(any.Check(std::nullopt));
}

TEST(PreconditionsTest, TheMessageNamesTheFieldAndTheCurrentDigest) {
  const Preconditions absent{.if_none_match = EntityTags{.any = true}};
  EXPECT_EQ(absent.Check(DigestOf('a')).message(),
            "the request's If-None-Match does not hold: it is " + DigestOf('a').ToString());
  const Preconditions present{.if_match = EntityTags{.any = true}};
  EXPECT_EQ(present.Check(std::nullopt).message(), "the request's If-Match does not hold: it does not exist");
}

}  // namespace
}  // namespace entrepot
