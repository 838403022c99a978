#include "services/blob/s3/s3_xml.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace entrepot::blob::s3 {
namespace {

constexpr absl::string_view::size_type kNone = absl::string_view::npos;

// The element's content and what follows it.
struct Found {
  absl::string_view content;
  absl::string_view rest;
};

bool Find(absl::string_view document, absl::string_view name, Found* found) {
  const std::string opening = absl::StrCat("<", name);
  for (size_t at = document.find(opening); at != kNone; at = document.find(opening, at + 1)) {
    const size_t after = at + opening.size();
    if (after >= document.size()) return false;
    const char next = document[after];
    if (next != '>' && next != '/' && !absl::ascii_isspace(static_cast<unsigned char>(next))) continue;
    const size_t end_of_tag = document.find('>', after);
    if (end_of_tag == kNone) return false;
    if (document[end_of_tag - 1] == '/') {
      *found = {.content = document.substr(end_of_tag, 0), .rest = document.substr(end_of_tag + 1)};
      return true;
    }
    const std::string closing = absl::StrCat("</", name, ">");
    const size_t end = document.find(closing, end_of_tag);
    if (end == kNone) return false;
    *found = {.content = document.substr(end_of_tag + 1, end - end_of_tag - 1),
              .rest = document.substr(end + closing.size())};
    return true;
  }
  return false;
}

void AppendUtf8(uint32_t code, std::string* text) {
  if (code < 0x80) {
    text->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text->push_back(static_cast<char>(0xc0 | code >> 6));
    text->push_back(static_cast<char>(0x80 | (code & 63)));
  } else if (code < 0x10000) {
    text->push_back(static_cast<char>(0xe0 | code >> 12));
    text->push_back(static_cast<char>(0x80 | (code >> 6 & 63)));
    text->push_back(static_cast<char>(0x80 | (code & 63)));
  }
}

std::string Decode(absl::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const size_t end = text.find(';');
    if (text.front() != '&' || end == kNone) {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    absl::string_view entity = text.substr(1, end - 1);
    constexpr std::pair<absl::string_view, char> kNamed[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [name, character] : kNamed) {
      if (entity == name) decoded += character;
    }
    uint32_t code = 0;
    if (absl::ConsumePrefix(&entity, "#")) {
      const bool hex = absl::ConsumePrefix(&entity, "x");
      if (hex ? absl::SimpleHexAtoi(entity, &code) : absl::SimpleAtoi(entity, &code)) AppendUtf8(code, &decoded);
    }
    text.remove_prefix(end + 1);
  }
  return decoded;
}

}  // namespace

std::string RootOfXml(absl::string_view document) {
  document = absl::StripLeadingAsciiWhitespace(document);
  absl::ConsumePrefix(&document, "\xef\xbb\xbf");
  if (absl::StartsWith(document, "<?")) {
    const size_t end = document.find("?>");
    if (end == kNone) return "";
    document = absl::StripLeadingAsciiWhitespace(document.substr(end + 2));
  }
  if (!absl::ConsumePrefix(&document, "<")) return "";
  return std::string(document.substr(0, document.find_first_of(" \t\r\n/>")));
}

absl::string_view FindXml(absl::string_view document, absl::string_view name) {
  Found found;
  return Find(document, name, &found) ? found.content : absl::string_view();
}

std::vector<absl::string_view> FindAllXml(absl::string_view document, absl::string_view name) {
  std::vector<absl::string_view> all;
  Found found;
  while (Find(document, name, &found)) {
    all.push_back(found.content);
    document = found.rest;
  }
  return all;
}

std::string TextOfXml(absl::string_view document, absl::string_view name) { return Decode(FindXml(document, name)); }

std::string EscapeXml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&apos;"}});
}

}  // namespace entrepot::blob::s3
