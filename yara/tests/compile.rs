//! Sources: what compiles, what is complained about, and that hostile ones are bounded.

use std::time::{Duration, Instant};

use yara::limits::{RULES_MAX, SOURCE_BYTES_MAX};
use yara::{CompileError, Rules, Source, compile};

fn rules(texts: &[&str]) -> Rules {
    let names: Vec<String> = (0..texts.len()).map(|index| format!("{index}.yar")).collect();
    let sources: Vec<Source<'_>> =
        names.iter().zip(texts).map(|(name, text)| Source { name, text: text.as_bytes() }).collect();
    compile(&sources).expect("within the bounds")
}

fn complaints(texts: &[&str]) -> Vec<String> {
    rules(texts).report().complaints.iter().map(ToString::to_string).collect()
}

fn found(rules: &Rules, bytes: &[u8]) -> Vec<String> {
    let found = rules.scan(bytes, Duration::from_secs(10));
    assert!(found.is_whole);
    found.rules.iter().map(|rule| rules.report().rules[*rule as usize].signature.clone()).collect()
}

#[test]
fn a_rule_that_is_wrong_is_named_with_its_line_and_the_others_stand() {
    let text = "rule a { condition: true }\nrule b {\n  strings:\n    $x = \"x\"\n  condition:\n    $y\n} // }\n\
                rule c { condition: a /* } */ }\nrule d { condition: b }\nrule a { condition: false }\n";
    let rules = rules(&[text]);
    assert_eq!(found(&rules, b""), ["YARA.a", "YARA.c"]);
    assert_eq!(rules.report().rules[1].line, 8);
    let complaints: Vec<(u32, &str)> =
        rules.report().complaints.iter().map(|complaint| (complaint.line, complaint.what.as_str())).collect();
    assert_eq!(complaints.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6, 9, 10], "{complaints:?}");
    assert!(complaints[0].1.contains("$y") && complaints[1].1.contains("\"b\""), "{complaints:?}");
}

#[test]
fn a_source_that_is_no_source_takes_no_other_with_it() {
    let complaints = complaints(&["rule a { condition: true }\nrule {", "rule b { condition: true }"]);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].starts_with("0.yar:2:"), "{complaints:?}");
    assert_eq!(found(&rules(&["rule {", "rule b { condition: true }"]), b""), ["YARA.b"]);
}

#[test]
fn includes_and_modules_that_are_not_there_are_refused() {
    let complaints = complaints(&["include \"/etc/passwd\"\nimport \"cuckoo\"\nrule a { condition: true }"]);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].contains("include") && complaints[1].starts_with("0.yar:2:"), "{complaints:?}");
}

#[test]
fn external_names_of_common_rules_are_there_and_empty() {
    let text = "rule a { condition: filename == \"\" and not filepath contains \"x\" and extension != \".exe\" }";
    assert_eq!(found(&rules(&[text]), b""), ["YARA.a"]);
    assert!(complaints(&["rule a { condition: filetype == \"x\" }"])[0].contains("filetype"));
}

#[test]
fn the_modules_of_public_rules_are_there() {
    let text = "import \"pe\" import \"elf\" import \"math\" import \"hash\" import \"dotnet\" import \"macho\" \
                import \"string\" import \"time\" import \"dex\"\n\
                rule a { condition: hash.md5(0, filesize) == \"d41d8cd98f00b204e9800998ecf8427e\" or \
                pe.number_of_signatures > 99 or elf.type == 99 or pe.imphash() == \"x\" or math.entropy(0, 9) > 8 }";
    assert_eq!(complaints(&[text]), [""; 0]);
}

#[test]
fn private_rules_are_never_found_and_global_ones_rule_their_source() {
    let first = "private rule hidden { strings: $a = \"aaaaa\" condition: $a } rule seen { condition: hidden }";
    let second = "global rule gate { strings: $g = \"gate\" condition: $g } rule behind { condition: true }";
    let third = "rule free { condition: true }";
    let rules = rules(&[first, second, third]);
    assert_eq!(found(&rules, b"aaaaa"), ["YARA.seen", "YARA.free"]);
    assert_eq!(found(&rules, b"gate"), ["YARA.gate", "YARA.behind", "YARA.free"]);
    let report = rules.report();
    assert!(report.rules[0].is_private && report.rules[2].is_global && !report.rules[4].is_global);
}

#[test]
fn bytes_that_are_no_text_may_stand_in_comments_only() {
    let text =
        b"rule a { meta: by = \"\xe9\" condition: true } // \xff\nrule b { strings: $x = \"\xe9t\xe9\" condition: $x }";
    let rules = compile(&[Source { name: "latin.yar", text }]).expect("small");
    assert_eq!(found(&rules, b""), ["YARA.a"]);
    assert_eq!(rules.report().complaints.len(), 1);
    assert_eq!(rules.report().complaints[0].line, 2);
}

#[test]
fn the_bounds_on_all_sources_together_refuse() {
    let half = vec![b' '; SOURCE_BYTES_MAX / 2 + 1];
    let source = Source { name: "large", text: &half };
    assert!(matches!(compile(&[source, source]), Err(CompileError::ManyBytes { .. })));
    let many: String = (0..=RULES_MAX).map(|index| format!("rule r{index}{{condition:true}}\n")).collect();
    let refused = compile(&[Source { name: "many", text: many.as_bytes() }]);
    assert!(matches!(refused, Err(CompileError::ManyRules { source_name }) if source_name == "many"));
}

#[test]
fn what_looks_nested_and_is_not_compiles() {
    let line = "-".repeat(200);
    let alternatives = vec!["AA"; 600].join(" | ");
    let many = vec!["1 + 1 == 2"; 600].join(" and ");
    let text = format!(
        "// {line}\n/* {line} */ rule a {{ meta: b = \"{line}\" strings: $a = \"{line}\" $b = /x\\/{line}/ \
         $c = {{ ( {alternatives} ) BB }} condition: any of them or ({many}) }}"
    );
    assert_eq!(complaints(&[&text]), [""; 0]);
}

#[test]
fn hostile_sources_end_in_a_complaint_and_in_time() {
    let deep = 1 << 20;
    let nested = |open: &str, inner: &str, close: &str, times: usize| open.repeat(times) + inner + &close.repeat(times);
    let condition = |text: String| format!("rule a {{ strings: $s = \"sssss\" condition: {text} }}");
    let string = |text: String| format!("rule a {{ strings: $s = {text} condition: $s }}");
    let hostile = [
        condition(nested("(", "true", ")", deep)),
        condition("not ".repeat(deep / 4) + "true"),
        condition("-".repeat(deep) + "1 == 1"),
        condition(nested("for any of them : (", "$s", ")", deep / 20)),
        condition("~".repeat(deep) + "1 == 1"),
        condition("1 + ".repeat(deep / 4) + "1"),
        condition("(1) + ".repeat(deep / 8) + "1"),
        condition("1 == ".repeat(deep / 8) + "1"),
        condition("\"a\" contains ".repeat(deep / 16) + "\"a\""),
        condition("1 | ".repeat(400) + "1"),
        condition(("not ".repeat(16) + "(").repeat(60) + "true" + &")".repeat(60)),
        condition("$s and ".repeat(deep / 8) + "("),
        condition("pe".to_owned() + &".a[0](1)".repeat(deep / 8)),
        string("/".to_owned() + &nested("(", "a", ")", deep) + "/"),
        string("{ ".to_owned() + &nested("(", "AA", ")", deep) + " }"),
        string("/(((((a{1,1000}){1,1000}){1,1000}){1,1000}){1,1000})/".to_owned()),
        "(".repeat(deep),
        "rule".repeat(deep / 4),
        "/*".repeat(deep / 2),
        string(format!("\"{}", "a".repeat(deep))),
    ];
    for text in hostile {
        let start = Instant::now();
        let complaints = complaints(&[&text]);
        let head: String = text.chars().take(80).collect();
        assert!(!complaints.is_empty(), "{head}");
        assert!(complaints.iter().all(|complaint| complaint.len() < 2000), "{head}");
        assert!(start.elapsed() < Duration::from_secs(20), "{head}: {:?}", start.elapsed());
    }
}

#[test]
fn cut_anywhere_a_source_gives_rules_or_complaints_and_no_panic() {
    let text = "import \"pe\"\n/* c */ private global rule a : tag { meta: b = \"c\" strings: $x = \"y\\x41\" wide nocase \
                $h = { AA ?? [2-4] ( BB | CC ) ~DD } $r = /a[^b]{2,3}(c|d)+/i condition: for any i in (1..#x) : ( @x[i] < 10 ) \
                and 1 of ($h, $r*) }";
    for end in 0..text.len() {
        let rules = rules(&[&text[..end]]);
        assert!(rules.report().rules.is_empty() || !rules.report().complaints.is_empty() || end < 12, "{end}");
    }
    assert_eq!(complaints(&[text]), [""; 0]);
}
