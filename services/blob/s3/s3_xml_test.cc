#include "services/blob/s3/s3_xml.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::blob::s3 {
namespace {

TEST(S3XmlTest, FindsElementsOfAList) {
  const std::string document =
      "\n\n<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/\"><KeyCount>2</KeyCount>"
      "<Contents><Key>a</Key><Size>1</Size></Contents><Contents><Key>b&amp;&#x41;</Key></Contents><Prefix/>"
      "</ListBucketResult>";
  EXPECT_EQ(RootOfXml(document), "ListBucketResult");
  const std::vector<absl::string_view> all = FindAllXml(document, "Contents");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(TextOfXml(all[0], "Key"), "a");
  EXPECT_EQ(TextOfXml(all[1], "Key"), "b&A");
  EXPECT_EQ(TextOfXml(all[1], "Size"), "");
  EXPECT_EQ(FindXml(document, "Prefix"), "");
  // Not the beginning of another name.
  EXPECT_EQ(FindXml(document, "Key"), "a");
}

TEST(S3XmlTest, SurvivesWhatIsNoXml) {
  for (const char* document : {"", "<", "<a", "<a>", "<a/", "<?xml", "<html><body>502", "&", "<a>&#xfffffff;&x;</a>"}) {
    EXPECT_EQ(TextOfXml(document, "Code"), "") << document;
    FindAllXml(document, "a");
    RootOfXml(document);
  }
  EXPECT_EQ(TextOfXml("<a>&lt;&unknown;&quot;1 & 2</a>", "a"), "<\"1 & 2");
}

TEST(S3XmlTest, EscapesText) { EXPECT_EQ(EscapeXml("\"a&<b>"), "&quot;a&amp;&lt;b&gt;"); }

}  // namespace
}  // namespace entrepot::blob::s3
