#include "services/core/upload_id.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(UploadIdTest, RandomIdsParseBackAndDiffer) {
  const UploadId id = UploadId::Random();
  EXPECT_THAT(UploadId::Parse(id.ToString()), IsOkAndHolds(id));
  EXPECT_FALSE(id == UploadId::Random());
}

TEST(UploadIdTest, AnInvalidIdIsAnUnknownSession) {
  for (const std::string& text : {std::string(), std::string(31, 'a'), std::string(33, 'a'), std::string(32, 'A'),
                                  std::string("../") + std::string(29, 'a'), std::string(32, '\0')}) {
    EXPECT_THAT(UploadId::Parse(text), IsOciError(OciErrorCode::kBlobUploadUnknown)) << text;
  }
}

}  // namespace
}  // namespace entrepot
